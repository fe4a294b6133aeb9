/**
 * Measures the embedded index: build rate, size, query cost, memory, merge and removal.
 *
 *   node test/bench/fingerprint-index.ts build  DIR --music FOLDER --hours 100
 *   node test/bench/fingerprint-index.ts query  DIR --music FOLDER [--queries 200] [--levels 1] [--cache MIB] [--cold]
 *   node test/bench/fingerprint-index.ts remove DIR [--share 0.3]
 *
 * The catalog is the music of the folder (every audio file, decoded by FFmpeg) and, beyond it, made-up tracks: runs of
 * eight landmarks from random places of that music, each moved by up to two cells in every dimension of its hash. How
 * often a hash occurs is as in music, and no stretch agrees with a recording. Queries are excerpts of the music, a third
 * of whose peaks were moved to random times. Peaks are kept in DIR.peaks.
 *
 * Times are CPU seconds of the whole process, threads included, so that a busy machine changes them little.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  chunkRanges,
  decodePeaks,
  encodePeaks,
  fingerprintConfig,
  framesPerSecond,
  indexLandmarks,
  limitDensity,
  mixHash,
  PeakExtractor,
  queryLandmarks,
  searchLevels,
  slicePeaks,
  unmixHash,
  type Peaks,
} from '@earmark/fingerprint';
import { openEmbeddedIndex, type EmbeddedIndex, type IndexChunk } from '@earmark/fingerprint-index';
import { makeId, seededRandom, type Random, type TrackId } from '@earmark/kernel';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    music: { type: 'string' },
    hours: { type: 'string', default: '100' },
    queries: { type: 'string', default: '200' },
    cache: { type: 'string', default: '2048' },
    levels: { type: 'string', default: '1' },
    share: { type: 'string', default: '0.3' },
    cold: { type: 'boolean', default: false },
  },
});
const [command, directory] = positionals;
if (!directory) throw new Error('usage: fingerprint-index.ts build|query|remove DIR [--music FOLDER] ...');

const noBytes = new Uint8Array(10);
const tenantId = makeId('tenant', 1, noBytes);
const catalogId = makeId('catalog', 1, noBytes);
const trackIdOf = (n: number): TrackId => makeId('track', n, noBytes);
const secondsOf = (peaks: Peaks): number => peaks.lengthFrames / framesPerSecond;

function findFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(mp3|ogg|opus|flac|m4a|wav)$/i.test(name))
    .sort()
    .map((name) => join(folder, name));
}

function readMusic(folder: string, cache: string): Peaks[] {
  mkdirSync(cache, { recursive: true });
  return findFiles(folder).map((path, i) => {
    const stored = join(cache, `${i}.peaks`);
    if (existsSync(stored)) return decodePeaks(readFileSync(stored));
    const rate = String(fingerprintConfig.sampleRateHz);
    const arguments_ = ['-v', 'error', '-i', path, '-f', 'f32le', '-ac', '1', '-ar', rate, '-'];
    const bytes = execFileSync('ffmpeg', arguments_, { maxBuffer: 2 ** 30 });
    const extractor = new PeakExtractor();
    const block = new Float32Array(bytes.length >> 2);
    new Uint8Array(block.buffer).set(bytes.subarray(0, block.byteLength));
    extractor.push(block);
    const peaks = extractor.finish();
    writeFileSync(stored, encodePeaks(peaks));
    return peaks;
  });
}

/** Landmarks of all the music, from which made-up tracks are drawn. */
type Pool = Readonly<{ codes: Uint32Array; details: Uint8Array }>;

function poolOf(tracks: readonly (readonly IndexChunk[])[]): Pool {
  const all = tracks.flatMap((chunks) => chunks.map(({ landmarks }) => landmarks));
  const size = all.reduce((sum, { hashes }) => sum + hashes.length, 0);
  const codes = new Uint32Array(size);
  const details = new Uint8Array(size);
  let at = 0;
  for (const landmarks of all) {
    codes.set(landmarks.hashes.map(unmixHash), at);
    details.set(landmarks.details, at);
    at += landmarks.hashes.length;
  }
  return { codes, details };
}

/** Weights of the cells in the code of a triple (intervals, time ratio, anchor, span) and of a pair. */
const tripleWeights = [92 * 24 * 20 * 18, 24 * 20 * 18, 20 * 18, 18, 1];
const pairWeights = [1 << 13, 1 << 6, 1];

/**
 * A made-up track: runs of landmarks from random places of the music, each moved by up to two cells in every dimension.
 * How often a hash occurs is as in music; no stretch agrees with any recording.
 */
function madeUpTrack(pool: Pool, n: number): IndexChunk[] {
  const random = seededRandom(n);
  const frames = Math.round((120 + 240 * random.next()) * framesPerSecond);
  const perChunk = Math.round((846_000 * 1720) / framesPerSecond / 3600);
  return chunkRanges(frames).map((range, chunk) => {
    const hashes = new Uint32Array(perChunk);
    const places = new Uint32Array(perChunk);
    const details = new Uint8Array(perChunk);
    let from = 0;
    for (let i = 0; i < perChunk; i++) {
      if (i % 8 === 0) from = Math.floor(random.next() * (pool.codes.length - 8));
      let code = pool.codes[from];
      let spread = Math.floor(random.next() * 3125);
      for (const weight of code >= 0x8000_0000 ? pairWeights : tripleWeights) {
        code += weight * ((spread % 5) - 2);
        spread = Math.floor(spread / 5);
      }
      hashes[i] = mixHash(Math.max(0, code));
      details[i] = pool.details[from++];
      places[i] = Math.floor((i * (range.end - range.start)) / perChunk);
    }
    return {
      tenantId,
      catalogId,
      trackId: trackIdOf(n + 1),
      chunk,
      startFrame: range.start,
      landmarks: { hashes, frames: places, details },
    };
  });
}

function chunksOf(trackId: TrackId, peaks: Peaks): IndexChunk[] {
  const sparse = limitDensity(peaks, fingerprintConfig.indexQuota);
  return chunkRanges(peaks.lengthFrames).map((range, chunk) => ({
    tenantId,
    catalogId,
    trackId,
    chunk,
    startFrame: range.start,
    landmarks: indexLandmarks(sparse, range),
  }));
}

const cpuMs = (since?: NodeJS.CpuUsage): number => {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1000;
};

function percentiles(samples: readonly number[]): string {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (share: number): string =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))].toFixed(2);
  const mean = samples.reduce((sum, value) => sum + value, 0) / samples.length;
  return `mean ${mean.toFixed(2)}, p50 ${at(0.5)}, p95 ${at(0.95)}, p99 ${at(0.99)}`;
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

function folderBytes(): number {
  return readdirSync(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
}

async function build(music: readonly Peaks[]): Promise<void> {
  const index = await openEmbeddedIndex({ directory, mode: 'write' });
  const musicSeconds = music.reduce((sum, peaks) => sum + secondsOf(peaks), 0);
  console.log(
    `music: ${music.length} files, ${(musicSeconds / 3600).toFixed(2)} h; the rest are made-up tracks`,
  );
  const real = music.map((peaks, n) => chunksOf(trackIdOf(n + 1), peaks));
  const pool = poolOf(real);
  let seconds = 0;
  let addWallMs = 0;
  let addCpuMs = 0;
  let landmarks = 0;
  let rss = 0;
  for (let n = 0; seconds < Number(values.hours) * 3600; n++) {
    const chunks = n < real.length ? real[n] : madeUpTrack(pool, n);
    for (const chunk of chunks) landmarks += chunk.landmarks.hashes.length;
    const cpu = process.cpuUsage();
    const start = performance.now();
    await index.add(chunks, { sequence: n + 1 });
    addWallMs += performance.now() - start;
    addCpuMs += cpuMs(cpu);
    const last = chunks[chunks.length - 1];
    seconds += (last.startFrame + 1720) / framesPerSecond;
    rss = Math.max(rss, process.memoryUsage.rss());
  }
  const hours = seconds / 3600;
  const cpu = process.cpuUsage();
  const start = performance.now();
  await index.flush();
  await index.compact();
  const compactSeconds = (performance.now() - start) / 1000;
  rss = Math.max(rss, process.memoryUsage.rss());
  const health = await index.health();
  console.log(`catalog: ${hours.toFixed(1)} h, ${health.tracks} tracks, ${health.landmarks} landmarks`);
  console.log(`landmarks an hour: ${Math.round(landmarks / hours)}`);
  console.log(
    `add, with background flush and merge: ${(addCpuMs / 1000).toFixed(1)} s CPU, ${(addWallMs / 1000).toFixed(1)} s`,
  );
  console.log(
    `build rate: ${Math.round(landmarks / (addCpuMs / 1000))} landmarks a CPU second, ${Math.round((seconds * 1000) / addCpuMs)} x real time`,
  );
  console.log(
    `last merge of everything: ${(cpuMs(cpu) / 1000).toFixed(1)} s CPU, ${compactSeconds.toFixed(1)} s`,
  );
  console.log(
    `files: ${megabytes(folderBytes())}, ${megabytes(folderBytes() / hours)} an hour, ${(folderBytes() / health.landmarks).toFixed(2)} bytes a landmark`,
  );
  console.log(`largest RSS: ${megabytes(rss)}`);
  await index.close();
}

/** A 10 s excerpt of a track, with part of its peaks lost and as many false ones. */
function excerpt(peaks: Peaks, random: Random): { query: Peaks; start: number } {
  const frames = Math.round(10 * framesPerSecond);
  const start = Math.floor(random.next() * Math.max(1, peaks.lengthFrames - frames));
  const slice = slicePeaks(peaks, start, start + frames);
  const order = slice.frames.map((frame) => (random.next() < 0.3 ? random.next() * frames : frame));
  const indices = Array.from(order.keys()).sort((a, b) => order[a] - order[b]);
  return {
    start,
    query: {
      frames: Float32Array.from(indices, (i) => order[i]),
      pitches: Float32Array.from(indices, (i) => slice.pitches[i]),
      levels: Float32Array.from(indices, (i) => slice.levels[i]),
      ranks: Uint8Array.from(indices, (i) => slice.ranks[i]),
      lengthFrames: frames,
    },
  };
}

/** Takes the files out of the page cache of the kernel. */
function dropCaches(): void {
  for (const name of readdirSync(directory)) {
    execFileSync('dd', [`if=${join(directory, name)}`, 'iflag=nocache', 'count=0'], { stdio: 'ignore' });
  }
}

async function query(music: readonly Peaks[]): Promise<void> {
  const random = seededRandom(7);
  const open = (): Promise<EmbeddedIndex> =>
    openEmbeddedIndex({ directory, mode: 'read', cacheBytes: Number(values.cache) * 2 ** 20 });
  if (values.cold) dropCaches();
  const opening = performance.now();
  const index = await open();
  console.log(`opened in ${Math.round(performance.now() - opening)} ms`);
  const excerpts = Array.from({ length: Number(values.queries) }, () => {
    const n = Math.floor(random.next() * music.length);
    return { n, ...excerpt(music[n], random) };
  });
  for (const { name, depth, candidates } of searchLevels.slice(0, Number(values.levels))) {
    const questions = excerpts.map(({ n, query, start }) => ({
      n,
      start,
      query,
      landmarks: queryLandmarks(query, depth),
    }));
    const probes = questions.map(({ landmarks }) => landmarks.hashes.length);
    console.log(`level ${name}: probes a query ${percentiles(probes)}`);
    for (const pass of values.cold ? ['cold'] : ['first', 'resident', 'resident again']) {
      const cpus: number[] = [];
      const walls: number[] = [];
      let right = 0;
      for (const { n, start, query, landmarks } of questions) {
        const cpu = process.cpuUsage();
        const began = performance.now();
        const [best] = await index.candidates(
          { tenantId, landmarks, lengthFrames: query.lengthFrames },
          candidates,
        );
        walls.push(performance.now() - began);
        cpus.push(cpuMs(cpu));
        if (best?.trackId === trackIdOf(n + 1) && Math.abs((best.offsetFrames ?? NaN) - start) < 22) right++;
      }
      console.log(
        `  ${pass}: CPU ms ${percentiles(cpus)}; wall ms ${percentiles(walls)}; right ${right} of ${questions.length}`,
      );
    }
    if (values.cold) break;
  }
  const health = await index.health();
  console.log(
    `page cache ${megabytes(Number(health.details.cacheBytes))}, RSS ${megabytes(process.memoryUsage.rss())}`,
  );
  await index.close();
}

async function remove(): Promise<void> {
  const index = await openEmbeddedIndex({ directory, mode: 'write' });
  const { tracks, bytes } = await index.health();
  const random = seededRandom(3);
  let removed = 0;
  const start = performance.now();
  for (let n = 1; n <= tracks; n++) {
    if (random.next() >= Number(values.share)) continue;
    await index.remove(trackIdOf(n));
    removed++;
  }
  const removing = performance.now() - start;
  const cpu = process.cpuUsage();
  await index.compact();
  const after = await index.health();
  console.log(
    `removed ${removed} of ${tracks} tracks in ${removing.toFixed(0)} ms; merge ${(cpuMs(cpu) / 1000).toFixed(1)} s CPU`,
  );
  console.log(`bytes ${megabytes(bytes)} -> ${megabytes(after.bytes)}; tracks ${after.tracks}`);
  await index.close();
}

if (command === 'remove') await remove();
else {
  if (values.music === undefined) throw new Error('--music FOLDER is needed');
  const music = readMusic(values.music, `${directory}.peaks`);
  if (command === 'build') await build(music);
  else await query(music);
}
