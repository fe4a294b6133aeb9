/**
 * Compares ways to store a chunk's hashes: bytes on disk and time of a query.
 *
 *   node test/bench/elasticsearch-mappings.ts URL MUSIC.emfp
 *
 * Each variant gets one shard without copies, merged to one segment, and 200 queries of 512 keys of a chunk each.
 */
import { decodeFingerprintFile } from '@earmark/engine';
import {
  chunkRanges,
  decodePeaks,
  fingerprintConfig,
  indexLandmarks,
  limitDensity,
  unmixHash,
} from '@earmark/fingerprint';
import { seededRandom } from '@earmark/kernel';
import { Client, type estypes } from '@elastic/elasticsearch';
import { readFileSync } from 'node:fs';

const [url, musicPath] = process.argv.slice(2);
if (musicPath === undefined) throw new Error('usage: elasticsearch-mappings.ts URL MUSIC.emfp');
const client = new Client({ node: url, requestTimeout: 600_000 });

const text = { type: 'text', analyzer: 'whitespace', norms: false } as const;
const docsOnly = { ...text, index_options: 'docs', similarity: 'boolean' } as const;
const positions = { ...text, index_options: 'positions' } as const;
type Variant = Readonly<{ name: string; field: estypes.MappingProperty; mixed: boolean; array: boolean }>;
const variants: readonly Variant[] = [
  {
    name: 'text, docs only, boolean similarity, mixing undone',
    field: docsOnly,
    mixed: false,
    array: false,
  },
  {
    name: 'the same, hashes as they are',
    field: docsOnly,
    mixed: true,
    array: false,
  },
  {
    name: 'text with positions and frequencies, BM25',
    field: positions,
    mixed: false,
    array: false,
  },
  {
    name: 'keyword without doc values',
    field: { type: 'keyword', doc_values: false },
    mixed: false,
    array: true,
  },
];

const chunks = [...decodeFingerprintFile(readFileSync(musicPath))].flatMap(({ peaks }) => {
  const sparse = limitDensity(decodePeaks(peaks), fingerprintConfig.indexQuota);
  return chunkRanges(sparse.lengthFrames).map((range) => [...new Set(indexLandmarks(sparse, range).hashes)]);
});
const postings = chunks.reduce((sum, hashes) => sum + hashes.length, 0);
console.log(`${chunks.length} chunks, ${postings} distinct hashes of a chunk`);

for (const { name, field, mixed, array } of variants) {
  const index = 'mapping-variant';
  const terms = (hashes: readonly number[]): string[] =>
    hashes
      .map((hash) => (mixed ? hash : unmixHash(hash)))
      .sort((a, b) => a - b)
      .map((key) => key.toString(36).padStart(7, '0'));
  await client.indices.delete({ index, ignore_unavailable: true });
  await client.indices.create({
    index,
    settings: { number_of_shards: 1, number_of_replicas: 0, refresh_interval: '-1' },
    mappings: { dynamic: 'strict', _source: { enabled: false }, properties: { hashes: field } },
  });
  const began = performance.now();
  for (let from = 0; from < chunks.length; from += 64) {
    const operations = chunks
      .slice(from, from + 64)
      .flatMap((hashes) => [{ index: {} }, { hashes: array ? terms(hashes) : terms(hashes).join(' ') }]);
    await client.bulk({ index, operations });
  }
  await client.indices.refresh({ index });
  const seconds = (performance.now() - began) / 1000;
  await client.indices.forcemerge({ index, max_num_segments: 1 });
  await client.indices.flush({ index });
  const stats = await client.indices.stats({ index, metric: 'store' });
  const bytes = stats._all.primaries?.store?.size_in_bytes ?? 0;
  const random = seededRandom(5);
  const walls: number[] = [];
  for (let i = 0; i < 200; i++) {
    const own = chunks[Math.floor(random.next() * chunks.length)];
    const asked = terms(own.filter((_, k) => k % Math.ceil(own.length / 512) === 0));
    const query: estypes.QueryDslQueryContainer = array
      ? {
          bool: {
            should: asked.map((value) => ({ constant_score: { filter: { term: { hashes: value } } } })),
          },
        }
      : { match: { hashes: asked.join(' ') } };
    const start = performance.now();
    await client.search({ index, query, size: 48, _source: false, track_total_hits: true });
    walls.push(performance.now() - start);
  }
  walls.sort((a, b) => a - b);
  console.log(
    `${name}: ${(bytes / postings).toFixed(2)} bytes a hash, indexed in ${seconds.toFixed(1)} s, query p50 ${walls[100].toFixed(0)}, p95 ${walls[190].toFixed(0)} ms`,
  );
  await client.indices.delete({ index });
}
await client.close();
