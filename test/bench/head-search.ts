/**
 * CPU time of a search of entry points in memory: all of them, and those of a tempo band, in WebAssembly and in TypeScript.
 *
 *     node test/bench/head-search.ts [--heads 100000] [--rounds 10]
 *
 * Vectors are random: no music, and no effect on the time but for how often the list of the best changes.
 */
import { seededRandom, type CatalogId, type TenantId, type TrackId } from '@earmark/kernel';
import { HeadIndex } from '@earmark/transition';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { heads: { type: 'string', default: '100000' }, rounds: { type: 'string', default: '10' } },
});
const dimensions = 240;
const headsOfTrack = 2;
const searches = 20;
const random = seededRandom(1);
const vector = (): Float32Array => Float32Array.from({ length: dimensions }, () => random.next() - 0.5);
const tails = Array.from({ length: searches }, vector);
const filters = [
  { name: 'all', filter: {} },
  { name: '106 to 134 a minute', filter: { tempoBpm: { min: 106, max: 134 }, latestMs: 30_000 } },
];
for (const backend of ['wasm', 'js'] as const) {
  const index = new HeadIndex(dimensions, backend);
  for (let n = 0; n < Number(values.heads) / headsOfTrack; n++) {
    index.set({
      tenantId: 'ten' as TenantId,
      catalogId: 'cat' as CatalogId,
      trackId: `trk_${n}` as TrackId,
      modelId: 'bench@1',
      tempoBpm: 60 + (n % 120),
      heads: Array.from({ length: headsOfTrack }, (_, ordinal) => ({
        ordinal,
        atMs: ordinal * 10_000,
        strength: 1,
        code: vector(),
      })),
    });
  }
  for (const { name, filter } of filters) {
    const times: number[] = [];
    for (let round = 0; round < Number(values.rounds); round++) {
      const before = process.cpuUsage();
      for (const tail of tails) index.search(tail, 80, filter);
      const { user, system } = process.cpuUsage(before);
      times.push((user + system) / 1_000 / searches);
    }
    times.sort((a, b) => a - b);
    const medianMs = Number((times[times.length >> 1] ?? 0).toFixed(2));
    console.log(JSON.stringify({ backend, heads: index.heads, filter: name, medianMs }));
  }
}
