/**
 * Asks the embedded index and the index in Elasticsearch the same questions and compares their answers.
 *
 *   node test/quality/elasticsearch/compare.ts URL MUSIC SETS CACHE [--only REGEX] [--step N] [--more FILE.emfp]
 *
 * MUSIC, SETS and CACHE are those of test/quality/fingerprint/evaluate.ts; --step takes every Nth excerpt. --more adds
 * the fingerprints of a file to the catalog (perturbed copies: test/support/perturbed-catalog.ts). Run `npm run build`
 * before.
 */
import { decodeFingerprintFile } from '@earmark/engine';
import {
  decodePeaks,
  fingerprintConfig,
  framesPerSecond,
  limitDensity,
  ReferenceCache,
  search,
  type Peaks,
} from '@earmark/fingerprint';
import { ElasticsearchCluster, openEmbeddedIndex, type FoundChunk } from '@earmark/fingerprint-index';
import type { TrackId } from '@earmark/kernel';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { percentiles } from '../../bench/fingerprint-index/report.ts';
import { chunkOf, chunksOf, sourceOf, trackIdOf } from '../../support/bench-tracks.ts';
import { peaksOf } from '../fingerprint/peak-cache.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string', default: '' },
    step: { type: 'string', default: '1' },
    more: { type: 'string' },
  },
});
const [url, music, sets, cache] = positionals;
if (cache === undefined) throw new Error('usage: compare.ts URL MUSIC SETS CACHE [--only REGEX] [--step N]');

type Query = Readonly<{ id: string; set: string; track: string | null; ref_start: number }>;
const read = <T>(name: string): T => JSON.parse(readFileSync(join(sets, name), 'utf8')) as T;
const tracks = new Map<TrackId, Peaks>();
const names = new Map<TrackId, string>();
let frames = 0;

function takeIn(name: string, peaks: Peaks): void {
  const trackId = trackIdOf(tracks.size);
  tracks.set(trackId, limitDensity(peaks, fingerprintConfig.indexQuota));
  names.set(trackId, name);
  frames += peaks.lengthFrames;
}
for (const { track } of read<{ catalog: { track: string }[] }>('catalog.json').catalog)
  takeIn(track, peaksOf(join(music, track), cache));
if (values.more !== undefined)
  for (const { path, peaks } of decodeFingerprintFile(readFileSync(values.more)))
    takeIn(path, decodePeaks(peaks));

const made = new Map<string, FoundChunk>();
const cluster = new ElasticsearchCluster({
  connection: { nodes: [url] },
  installation: 'compare',
  chunks: {
    chunksAt: (places) =>
      Promise.resolve(
        places.flatMap(({ trackId, chunk }) => {
          const peaks = tracks.get(trackId);
          const key = `${trackId}/${chunk}`;
          const found = made.get(key) ?? (peaks && chunkOf(trackId, peaks, chunk));
          if (found === undefined) return [];
          if (made.size < 3000) made.set(key, found);
          return [found];
        }),
      ),
  },
});
await cluster.remove();
await cluster.ensure();
const directory = mkdtempSync(join(tmpdir(), 'earmark-compare-'));
const embedded = await openEmbeddedIndex({ directory, mode: 'write' });
const writes: Promise<void>[] = [];
for (const [trackId, peaks] of tracks) {
  const chunks = chunksOf(trackId, peaks);
  await embedded.add(chunks);
  writes.push(cluster.index.add(chunks));
  if (writes.length >= 32) await Promise.all(writes.splice(0));
}
await Promise.all(writes);
console.log(`${tracks.size} tracks, ${(frames / framesPerSecond / 3600).toFixed(2)} h`);

const references = new ReferenceCache({ peaksOf: (id) => Promise.resolve(tracks.get(id)) }, 10_000);
const engines = { embedded: sourceOf(embedded), elasticsearch: sourceOf(cluster.index) };

type Tally = {
  count: number;
  embedded: number;
  elasticsearch: number;
  same: number;
  wrong: [number, number];
};
const tallies = new Map<string, Tally>();
const walls: Record<keyof typeof engines, number[]> = { embedded: [], elasticsearch: [] };
const only = new RegExp(values.only);
const queries = read<Query[]>('truth.json').filter(
  ({ set, id }) => only.test(set) && Number(/(\d+)\.\w+$/.exec(id)?.[1]) % Number(values.step) === 0,
);
for (const query of queries) {
  const peaks = peaksOf(join(sets, query.id), cache);
  const answers: Record<string, string> = {};
  const tally = tallies.get(query.set) ?? { count: 0, embedded: 0, elasticsearch: 0, same: 0, wrong: [0, 0] };
  tallies.set(query.set, tally);
  tally.count++;
  for (const name of ['embedded', 'elasticsearch'] as const) {
    const began = performance.now();
    const { decision } = await search(peaks, engines[name], references);
    walls[name].push(performance.now() - began);
    const answered = decision?.answered;
    const offset = answered ? decision.place.line.offset / framesPerSecond : NaN;
    const isRight =
      answered &&
      names.get(decision.place.trackId) === query.track &&
      Math.abs(offset - query.ref_start) < 0.5;
    if (query.track === null ? !answered : isRight) tally[name]++;
    else if (answered) tally.wrong[name === 'embedded' ? 0 : 1]++;
    answers[name] = answered ? `${decision.place.trackId} ${Math.round(offset * 4)}` : 'none';
  }
  if (answers['embedded'] === answers['elasticsearch']) tally.same++;
}

const sum = { count: 0, embedded: 0, elasticsearch: 0, same: 0 };
const share = (value: number, count: number): string => (value / count).toFixed(3);
console.log('| set | queries | embedded | Elasticsearch | same answer | wrong, embedded / Elasticsearch |');
console.log('| --- | ---: | ---: | ---: | ---: | ---: |');
for (const [set, { count, embedded: first, elasticsearch: second, same, wrong }] of tallies) {
  console.log(
    `| ${set} | ${count} | ${share(first, count)} | ${share(second, count)} | ${share(same, count)} | ${wrong.join(' / ')} |`,
  );
  sum.count += count;
  sum.embedded += first;
  sum.elasticsearch += second;
  sum.same += same;
}
console.log(
  `all: ${sum.count} queries, right embedded ${share(sum.embedded, sum.count)}, Elasticsearch ${share(sum.elasticsearch, sum.count)}, same answer ${share(sum.same, sum.count)}`,
);
for (const [name, samples] of Object.entries(walls))
  console.log(`${name}: wall ms a query ${percentiles(samples)}`);
await embedded.close();
await cluster.remove();
await cluster.close();
rmSync(directory, { recursive: true });
