/**
 * Counts what monitoring hears in audio that is in no catalog.
 *
 *   node test/quality/fingerprint/false-alarms.ts MUSIC,SETS,CACHE OUT.jsonl FOREIGN...
 *
 * The catalog is that of query sets (make_queries.py; the cache is that of evaluate.ts). FOREIGN are folders of recordings
 * that the catalog does not hold, decoded through the same cache. Each is scanned whole, every window, as the product
 * scans; a match is an alarm. OUT gets a line for each recording, with its matches; what it holds already is not scanned
 * again. Prints for each folder the alarms and how many an hour holds (95 % interval by Poisson); alarms of related pairs
 * (see relations.ts) are counted apart.
 */
import { appendFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { framesPerSecond, scan } from '@earmark/fingerprint';
import { peaksOf } from './peak-cache.ts';
import { earlierLines, openSetCatalog } from './set-catalog.ts';
import { relatedFrom, sharedWindows } from './shared-audio.ts';

type Alarm = Readonly<{
  track: string;
  startSeconds: number;
  seconds: number;
  probability: number;
  score: number;
  /** Windows of the whole recording that share audio with the track. */
  shared: number;
}>;
type Scanned = Readonly<{ path: string; seconds: number; cpuSeconds: number; alarms: readonly Alarm[] }>;

const [catalogOf, out, ...folders] = process.argv.slice(2);
if (folders.length === 0) throw new Error('usage: false-alarms.ts MUSIC,SETS,CACHE OUT.jsonl FOREIGN...');
const [music, sets, cache] = catalogOf.split(',');

const catalog = openSetCatalog(music, sets, cache);
const { tracks } = catalog;
console.log(`catalog: ${tracks.size} tracks, ${catalog.hours.toFixed(2)} h`);
const known = earlierLines<Scanned>(out, ({ path }) => path);

async function scanFile(path: string): Promise<Scanned> {
  const { spectrum: _, ...peaks } = peaksOf(path, cache);
  const start = process.cpuUsage();
  const matches = await scan(peaks, catalog);
  const { user, system } = process.cpuUsage(start);
  const alarms = matches.map((match) => {
    const reference = tracks.get(match.trackId);
    return {
      track: match.trackId,
      startSeconds: match.queryStartMs / 1000,
      seconds: (match.queryEndMs - match.queryStartMs) / 1000,
      probability: match.probability,
      score: match.score,
      shared: reference ? sharedWindows(peaks, reference) : 0,
    };
  });
  return {
    path,
    seconds: peaks.lengthFrames / framesPerSecond,
    cpuSeconds: Math.round((user + system) / 1e4) / 100,
    alarms,
  };
}

for (const folder of folders) {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(wav|ogg|oga|opus|mp3|flac|m4a)$/i.test(name))
    .sort();
  const rows: Scanned[] = [];
  for (const name of names) {
    const path = join(folder, name);
    const row = known.get(path) ?? (await scanFile(path));
    if (!known.has(path)) appendFileSync(out, `${JSON.stringify(row)}\n`);
    rows.push(row);
    for (const alarm of row.alarms)
      console.log(
        `  ${name} at ${alarm.startSeconds.toFixed(0)} s, ${alarm.seconds.toFixed(1)} s: ${alarm.track}, ${alarm.probability.toFixed(3)}, score ${alarm.score.toFixed(1)}, ${alarm.shared} shared windows`,
      );
  }
  const heard = sum(rows, (row) => row.seconds) / 3600;
  const alarms = rows.flatMap((row) => row.alarms);
  const foreign = alarms.filter((alarm) => alarm.shared < relatedFrom).length;
  const [low, high] = poisson95(foreign);
  const speed = sum(rows, (row) => row.seconds) / sum(rows, (row) => row.cpuSeconds);
  console.log(
    `${basename(folder)}: ${rows.length} recordings, ${heard.toFixed(2)} h, ${alarms.length} alarms, ${alarms.length - foreign} of them related; ` +
      `others an hour ${(foreign / heard).toFixed(3)} (${(low / heard).toFixed(3)}-${(high / heard).toFixed(3)}); ${speed.toFixed(0)} x real time`,
  );
}

function sum(rows: readonly Scanned[], of: (row: Scanned) => number): number {
  return rows.reduce((total, row) => total + of(row), 0);
}

/** Interval of 95 % for the mean of a Poisson count (Byar's approximation; exact for 0). */
function poisson95(count: number): readonly [number, number] {
  const byar = (n: number, sign: number): number =>
    n * (1 - 1 / (9 * n) + (sign * 1.96) / (3 * Math.sqrt(n))) ** 3;
  return [count === 0 ? 0 : byar(count, -1), count === 0 ? 3.69 : byar(count + 1, 1)];
}
