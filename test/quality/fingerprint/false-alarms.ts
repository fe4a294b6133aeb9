/**
 * Counts what monitoring hears in audio that is in no catalog.
 *
 *   node test/quality/fingerprint/false-alarms.ts MUSIC,SETS,CACHE FOREIGN... [--every 1] [--seed 1]
 *
 * The catalog is that of query sets (make_queries.py; the cache is that of evaluate.ts). FOREIGN are further such triples,
 * whose catalogs must hold other music, or folders of recorded speech and noise, decoded through the same cache. They are
 * cut into the windows of a scan, every Nth of which is searched as a scan does, by peaks alone. Prints the answered
 * windows and, for each source, how many an hour of listening would hold (95 % interval by Poisson): windows that follow each
 * other are one alarm to a listener, so this is an upper bound.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  decisionModel,
  fingerprintConfig,
  framesPerSecond,
  limitDensity,
  MemoryIndex,
  ReferenceCache,
  scanWindows,
  search,
  slicePeaks,
  type Peaks,
} from '@earmark/fingerprint';
import { seededRandom } from '@earmark/kernel';
import type { TrackId } from '@earmark/kernel';
import { peaksOf } from './peak-cache.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { every: { type: 'string', default: '1' }, seed: { type: 'string', default: '1' } },
});
const [catalogOf, ...foreign] = positionals;
if (foreign.length === 0) throw new Error('usage: false-alarms.ts MUSIC,SETS,CACHE FOREIGN... [--every N]');
const cache = catalogOf.split(',')[2];
const random = seededRandom(Number(values.seed));

/** Recordings of a triple's catalog, or of a folder. */
function recordingsOf(source: string): { name: string; peaks: () => Peaks }[] {
  const [folder, sets, own] = source.split(',');
  if (sets !== undefined) {
    const { catalog } = JSON.parse(readFileSync(join(sets, 'catalog.json'), 'utf8')) as {
      catalog: { track: string }[];
    };
    return catalog.map(({ track }) => ({ name: track, peaks: () => peaksOf(join(folder, track), own) }));
  }
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return names
    .filter((name) => /\.(wav|ogg|opus|mp3|flac)$/i.test(name))
    .sort()
    .map((name) => ({ name, peaks: () => peaksOf(join(folder, name), cache) }));
}

const index = new MemoryIndex();
const tracks = new Map<TrackId, Peaks>();
let hours = 0;
for (const { name, peaks } of recordingsOf(catalogOf)) {
  const sparse = limitDensity(peaks(), fingerprintConfig.indexQuota);
  // The bench's tracks are known by their names.
  const trackId = name as TrackId;
  tracks.set(trackId, sparse);
  index.add(trackId, sparse);
  hours += sparse.lengthFrames / framesPerSecond / 3600;
}
const references = new ReferenceCache({ peaksOf: (id) => Promise.resolve(tracks.get(id)) }, 10_000);
console.log(`catalog: ${tracks.size} tracks, ${hours.toFixed(2)} h`);

for (const source of foreign) {
  let searched = 0;
  let answered = 0;
  let seconds = 0;
  let highest = 0;
  const cpu = process.cpuUsage();
  for (const { name, peaks } of recordingsOf(source)) {
    const { spectrum: _, ...recording } = peaks();
    seconds += recording.lengthFrames / framesPerSecond;
    for (let start = 0; start < recording.lengthFrames; start += scanWindows.hop) {
      if (random.next() * Number(values.every) >= 1) continue;
      searched++;
      const query = slicePeaks(recording, start, start + scanWindows.length);
      const { decision } = await search(query, index, references);
      const probability = decision?.probability ?? 0;
      if (!decision || probability < decisionModel.answer) {
        highest = Math.max(highest, probability);
        continue;
      }
      answered++;
      const at = (start / framesPerSecond).toFixed(0);
      console.log(
        `  ${name} at ${at} s: ${decision.place.trackId}, ${probability.toFixed(3)}, z ${decision.evidence.z.toFixed(1)}`,
      );
    }
  }
  const { user, system } = process.cpuUsage(cpu);
  const windowsAnHour = (3600 * framesPerSecond) / scanWindows.hop;
  const rate = (count: number): string => ((count / searched) * windowsAnHour).toFixed(2);
  const [low, high] = poisson95(answered);
  console.log(
    `${basename(source.split(',')[0])}: ${(seconds / 3600).toFixed(2)} h, ${searched} windows searched, ${answered} answered (highest other ${highest.toFixed(2)}): ` +
      `${rate(answered)} windows an hour (${rate(low)}-${rate(high)}); ${((user + system) / 1000 / searched).toFixed(0)} ms CPU a window`,
  );
}

/** Interval of 95 % for the mean of a Poisson count (Byar's approximation; exact for 0). */
function poisson95(count: number): readonly [number, number] {
  const byar = (n: number, sign: number): number =>
    n * (1 - 1 / (9 * n) + (sign * 1.96) / (3 * Math.sqrt(n))) ** 3;
  return [count === 0 ? 0 : byar(count, -1), count === 0 ? 3.69 : byar(count + 1, 1)];
}
