/**
 * Measures the index in Elasticsearch: bulk rate, size, growth and query latency.
 *
 *   node test/bench/elasticsearch.ts URL[,URL...] MUSIC.emfp [--hours 10,100,1000] [--queries 100] [--minutes 60]
 *
 * MUSIC.emfp comes from `earmark fingerprint`. The catalog is that music and, beyond it, made-up tracks: runs of eight
 * landmarks from random places of the music, each moved by up to two cells in every dimension of its hash, so that hashes
 * are as frequent as in music and no stretch agrees with a recording. The catalog grows to each number of hours in turn
 * and is asked then; a run that was ended goes on where it was. Queries are 10 s excerpts of the music, a third of whose
 * peaks were moved to random times.
 */
import { decodeFingerprintFile } from '@earmark/engine';
import {
  chunkRanges,
  decodePeaks,
  fingerprintConfig,
  framesPerSecond,
  limitDensity,
  mixHash,
  queryLandmarks,
  ReferenceCache,
  search,
  searchLevels,
  unmixHash,
  type Peaks,
} from '@earmark/fingerprint';
import {
  defaultDepth,
  defaultRetry,
  ElasticsearchCluster,
  ElasticsearchIndex,
  type ChunkSource,
  type FoundChunk,
  type IndexChunk,
} from '@earmark/fingerprint-index';
import { seededRandom, type TrackId } from '@earmark/kernel';
import { Client } from '@elastic/elasticsearch';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import {
  catalogId,
  chunkOf,
  chunksOf,
  noisyExcerpt,
  sourceOf,
  tenantId,
  trackIdOf,
} from '../support/bench-tracks.ts';
import { percentiles } from './fingerprint-index/report.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    hours: { type: 'string', default: '10,100,1000' },
    queries: { type: 'string', default: '100' },
    minutes: { type: 'string', default: '60' },
  },
});
const [urls, musicPath] = positionals;
if (musicPath === undefined)
  throw new Error('usage: elasticsearch.ts URL[,URL...] MUSIC.emfp [--hours 10,100]');
const nodes = urls.split(',');
const installation = 'bench';
const alias = `${installation}-fingerprints`;
const deadline = performance.now() + Number(values.minutes) * 60_000;

const music = [...decodeFingerprintFile(readFileSync(musicPath))].map(({ peaks }) => decodePeaks(peaks));
const sparse = music.map((peaks) => limitDensity(peaks, fingerprintConfig.indexQuota));
const real = sparse.map((peaks, n) => chunksOf(trackIdOf(n), peaks));
const pool = poolOf(real.flat());
const landmarksPerFrame = pool.codes.length / sparse.reduce((sum, { lengthFrames }) => sum + lengthFrames, 0);

function poolOf(chunks: readonly IndexChunk[]): { codes: Uint32Array; details: Uint8Array } {
  const size = chunks.reduce((sum, { landmarks }) => sum + landmarks.hashes.length, 0);
  const codes = new Uint32Array(size);
  const details = new Uint8Array(size);
  let at = 0;
  for (const { landmarks } of chunks) {
    codes.set(landmarks.hashes.map(unmixHash), at);
    details.set(landmarks.details, at);
    at += landmarks.hashes.length;
  }
  return { codes, details };
}

/** Weights of the cells in the code of a triple (intervals, time ratio, anchor, span) and of a pair. */
const tripleWeights = [92 * 24 * 20 * 18, 24 * 20 * 18, 20 * 18, 18, 1];
const pairWeights = [1 << 13, 1 << 6, 1];

function madeUpChunk(n: number, chunk: number, range: { start: number; end: number }): IndexChunk {
  const random = seededRandom(n * 4096 + chunk);
  const count = Math.round(landmarksPerFrame * (range.end - range.start));
  const hashes = new Uint32Array(count);
  const frames = new Uint32Array(count);
  const details = new Uint8Array(count);
  let from = 0;
  for (let i = 0; i < count; i++) {
    if (i % 8 === 0) from = Math.floor(random.next() * (pool.codes.length - 8));
    let code = pool.codes[from];
    let spread = Math.floor(random.next() * 3125);
    for (const weight of code >= 0x8000_0000 ? pairWeights : tripleWeights) {
      code += weight * ((spread % 5) - 2);
      spread = Math.floor(spread / 5);
    }
    hashes[i] = mixHash(Math.max(0, code));
    details[i] = pool.details[from++];
    frames[i] = Math.floor((i * (range.end - range.start)) / count);
  }
  const landmarks = { hashes, frames, details };
  return { tenantId, catalogId, trackId: trackIdOf(n), chunk, startFrame: range.start, landmarks };
}

/** Frames of a made-up track: 2 to 6 minutes. */
const madeUpFrames = (n: number): number =>
  Math.round((120 + 240 * seededRandom(n).next()) * framesPerSecond);
const framesOf = (n: number): number => (n < sparse.length ? sparse[n].lengthFrames : madeUpFrames(n));

function trackChunks(n: number): IndexChunk[] {
  if (n < real.length) return real[n];
  return chunkRanges(madeUpFrames(n)).map((range, chunk) => madeUpChunk(n, chunk, range));
}

function chunkAt(trackId: TrackId, n: number, chunk: number): IndexChunk | undefined {
  if (n < real.length) return chunkOf(trackId, sparse[n], chunk);
  const range = chunkRanges(madeUpFrames(n))[chunk];
  return range && madeUpChunk(n, chunk, range);
}

/** Makes every chunk anew, as the engine does of stored peaks; reading these from the database is not part of it. */
const chunks: ChunkSource = {
  chunksAt: (places) =>
    Promise.resolve(
      places.flatMap(({ trackId, chunk }): readonly FoundChunk[] => {
        const n = numbers.get(trackId);
        if (n === undefined) return [];
        const found = chunkAt(trackId, n, chunk);
        return found === undefined ? [] : [found];
      }),
    ),
};
const numbers = new Map<TrackId, number>();

const client = new Client({ nodes, requestTimeout: 660_000 });
const cluster = new ElasticsearchCluster({ connection: { nodes }, installation, chunks });
await cluster.ensure();
const parts = { client, name: alias, isAlias: true, chunks, retry: defaultRetry, depth: defaultDepth };
const index = new ElasticsearchIndex({ ...parts, refreshes: false });

async function grow(hours: number): Promise<number> {
  let n = await index.appliedSequence();
  let frames = 0;
  for (let i = 0; i < n; i++) {
    numbers.set(trackIdOf(i), i);
    frames += framesOf(i);
  }
  const target = hours * 3600 * framesPerSecond;
  if (frames < target) {
    const building = { refresh_interval: '-1', auto_expand_replicas: 'false', number_of_replicas: 0 };
    await client.indices.putSettings({ index: alias, settings: building });
    const begun = performance.now();
    const before = frames;
    let landmarks = 0;
    while (frames < target && performance.now() < deadline) {
      const writes: Promise<void>[] = [];
      for (let i = 0; i < 32 && frames < target; i++, n++) {
        const own = trackChunks(n);
        numbers.set(trackIdOf(n), n);
        frames += framesOf(n);
        for (const chunk of own) landmarks += chunk.landmarks.hashes.length;
        writes.push(index.add(own, { sequence: n + 1 }));
      }
      await Promise.all(writes);
    }
    const seconds = (performance.now() - begun) / 1000;
    const added = (frames - before) / framesPerSecond;
    console.log(
      `  wrote ${(added / 3600).toFixed(1)} h, ${(landmarks / 1e6).toFixed(1)} M landmarks in ${seconds.toFixed(0)} s: ` +
        `${Math.round(landmarks / seconds / 1000)} k landmarks a second, ${Math.round(added / seconds)} x real time`,
    );
    const copying = performance.now();
    await client.indices.refresh({ index: alias });
    await client.indices.putSettings({ index: alias, settings: { auto_expand_replicas: '0-1' } });
    await client.cluster.health({
      index: alias,
      wait_for_status: 'green',
      wait_for_no_relocating_shards: true,
      timeout: '10m',
    });
    console.log(`  copies made in ${((performance.now() - copying) / 1000).toFixed(0)} s`);
  }
  return frames / framesPerSecond / 3600;
}

async function size(hours: number): Promise<void> {
  const stats = await client.indices.stats({ index: alias, metric: ['store', 'segments', 'docs'] });
  const first = stats._all.primaries?.store?.size_in_bytes ?? 0;
  const all = stats._all.total?.store?.size_in_bytes ?? 0;
  const { docs, segments } = stats._all.primaries ?? {};
  const health = await client.cluster.health({ index: alias });
  console.log(
    `  ${docs?.count} documents, ${segments?.count} segments; ${(first / 1e9).toFixed(2)} GB (${(first / hours / 1e6).toFixed(2)} MB an hour), ` +
      `with copies ${(all / 1e9).toFixed(2)} GB; ${health.status}, ${health.number_of_nodes} nodes, ${health.active_shards} shards`,
  );
}

/** CPU time of all nodes and of this process since they started: what a busy machine changes little. */
async function cpuMs(): Promise<{ nodes: number; own: number }> {
  const stats = await client.nodes.stats({ metric: 'process' });
  const nodesMs = Object.values(stats.nodes).map(({ process: own }) => own?.cpu?.total_in_millis ?? 0);
  const { user, system } = process.cpuUsage();
  return { nodes: nodesMs.reduce((sum, ms) => sum + ms, 0), own: (user + system) / 1000 };
}

async function cpuOf(queries: number, work: () => Promise<void>): Promise<string> {
  const before = await cpuMs();
  await work();
  const after = await cpuMs();
  const each = (ms: number): string => (ms / queries).toFixed(0);
  return `CPU ms a query: nodes ${each(after.nodes - before.nodes)}, this process ${each(after.own - before.own)}`;
}

async function ask(): Promise<void> {
  const random = seededRandom(7);
  const questions = Array.from({ length: Number(values.queries) }, () => {
    const n = Math.floor(random.next() * music.length);
    return { n, ...noisyExcerpt(sparse[n], random) };
  });

  /** Asks every question and prints times, CPU and how many answers were right. */
  const measure = async (
    name: string,
    answer: (query: Peaks) => Promise<Readonly<{ trackId: TrackId; offset: number }> | undefined>,
  ): Promise<void> => {
    const walls: number[] = [];
    let right = 0;
    const cpu = await cpuOf(questions.length, async () => {
      for (const { n, start, query } of questions) {
        const began = performance.now();
        const found = await answer(query);
        walls.push(performance.now() - began);
        if (found?.trackId === trackIdOf(n) && Math.abs(found.offset - start) < 22) right++;
      }
    });
    console.log(`  ${name}: wall ms ${percentiles(walls)}; ${cpu}; right ${right} of ${questions.length}`);
  };

  for (const { name, depth, candidates } of searchLevels.slice(0, 2)) {
    for (const pass of ['first', 'again']) {
      await measure(`candidates, level ${name}, ${pass}`, async (query) => {
        const landmarks = queryLandmarks(query, depth);
        const { lengthFrames } = query;
        const [best] = await index.candidates({ tenantId, landmarks, lengthFrames }, candidates);
        return best && { trackId: best.trackId, offset: best.offsetFrames ?? NaN };
      });
    }
  }
  const source = sourceOf(index);
  const references = new ReferenceCache({
    peaksOf: (trackId) => Promise.resolve(sparse[numbers.get(trackId) ?? -1]),
  });
  await measure('whole search with verification', async (query) => {
    const { decision } = await search(query, source, references);
    return decision && { trackId: decision.place.trackId, offset: decision.place.line.offset };
  });
}

for (const wanted of values.hours.split(',').map(Number)) {
  console.log(`${wanted} h (${music.length} tracks of music, the rest made up)`);
  const hours = await grow(wanted);
  console.log(`  catalog: ${hours.toFixed(1)} h, ${numbers.size} tracks`);
  await size(hours);
  await ask();
  if (hours < wanted) break;
}
await cluster.close();
await client.close();
