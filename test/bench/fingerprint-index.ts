/**
 * Measures the embedded index at scale: build rate, size, query cost, memory, merging, removal, and whole searches.
 *
 *   node test/bench/fingerprint-index.ts build  DIR --hours 100 MUSIC... [--sets MUSIC,SETS,CACHE]...
 *   node test/bench/fingerprint-index.ts query  DIR MUSIC... [--sets ...] [--queries 100] [--levels first,pairs] [--cold]
 *   node test/bench/fingerprint-index.ts search DIR MUSIC... --sets MUSIC,SETS,CACHE... [--step 1] [--only REGEX] [--out FILE]
 *   node test/bench/fingerprint-index.ts remove DIR [--share 0.3]
 *
 * The catalog begins with tracks that exist: those of the query sets (test/quality/fingerprint/make_queries.py; folder of
 * the music, of the sets, and the cache of evaluate.ts), or without sets all the music of the folders. The rest are
 * made-up tracks from the peaks of the music (fingerprint-index/made-up.ts). Peaks of the music are kept in --peaks,
 * default DIR/../music-peaks. `build` goes on where it was stopped, and merges everything into one segment at its end unless
 * --as-is leaves the segments as a live index has them.
 *
 * `query` times `candidates()` on excerpts of the real tracks, a third of whose peaks were moved to random times.
 * `search` runs the queries of the sets through lookup, voting, verification and decision, with the stored peaks of every
 * candidate, made-up ones included: recall, negatives answered, and CPU of a second, resident pass (--passes 2).
 *
 * CPU times are those of the whole process, threads included, so that a busy machine changes them less than wall time.
 */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { framesPerSecond, queryLandmarks, ReferenceCache, search, searchLevels } from '@earmark/fingerprint';
import { openEmbeddedIndex, type EmbeddedIndex } from '@earmark/fingerprint-index';
import { seededRandom } from '@earmark/kernel';
import { noisyExcerpt, sourceOf, tenantId, trackIdOf } from '../support/bench-tracks.ts';
import { BenchCatalog, readQueries, type SetFolders, type SetQuery } from './fingerprint-index/catalog.ts';
import { readMusic } from './fingerprint-index/music.ts';
import { cpuMs, dropCaches, folderBytes, megabytes, percentiles } from './fingerprint-index/report.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    sets: { type: 'string', multiple: true, default: [] },
    peaks: { type: 'string' },
    hours: { type: 'string', default: '100' },
    delta: { type: 'string', default: '2000000' },
    growth: { type: 'string', default: '0.5' },
    queries: { type: 'string', default: '100' },
    cache: { type: 'string', default: '512' },
    levels: { type: 'string', default: 'first' },
    passes: { type: 'string', default: '2' },
    step: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    out: { type: 'string' },
    share: { type: 'string', default: '0.3' },
    cold: { type: 'boolean', default: false },
    'as-is': { type: 'boolean', default: false },
  },
});
const [command, directory, ...folders] = positionals;
if (!directory)
  throw new Error('usage: fingerprint-index.ts build|query|search|remove DIR MUSIC... [options]');

const setFolders: SetFolders[] = values.sets.map((text) => {
  const [music, sets, cache] = text.split(',');
  return { music, sets, cache };
});
const openCatalog = (): BenchCatalog =>
  BenchCatalog.open(readMusic(folders, values.peaks ?? join(directory, '..', 'music-peaks')), setFolders);
const openToRead = (): Promise<EmbeddedIndex> =>
  openEmbeddedIndex({ directory, mode: 'read', cacheBytes: Number(values.cache) * 2 ** 20 });

async function build(): Promise<void> {
  const catalog = openCatalog();
  const index = await openEmbeddedIndex({
    directory,
    mode: 'write',
    deltaLandmarks: Number(values.delta),
    mergePolicy: { growth: Number(values.growth) },
  });
  const done = await index.appliedSequence();
  const spent = { generateMs: 0, addMs: 0, wallMs: 0 };
  let seconds = 0;
  let realSeconds = 0;
  let added = 0;
  let rss = 0;
  let n = 0;
  for (; seconds < Number(values.hours) * 3600; n++) {
    if (n < done) {
      seconds += catalog.secondsAt(n);
      continue;
    }
    let cpu = process.cpuUsage();
    const chunks = catalog.chunksAt(n);
    spent.generateMs += cpuMs(cpu);
    for (const chunk of chunks) added += chunk.landmarks.hashes.length;
    seconds += catalog.secondsAt(n);
    if (n < catalog.real.length) realSeconds = seconds;
    cpu = process.cpuUsage();
    const start = performance.now();
    await index.add(chunks, { sequence: n + 1 });
    spent.addMs += cpuMs(cpu);
    spent.wallMs += performance.now() - start;
    rss = Math.max(rss, process.memoryUsage.rss());
    if (n % 2000 === 1999) console.log(`${n + 1} tracks, ${(seconds / 3600).toFixed(0)} h`);
  }
  const hours = seconds / 3600;
  console.log(`${(realSeconds / 3600).toFixed(2)} h exist, added in this run: ${added} landmarks`);
  console.log(
    `add, background merges included: ${(spent.addMs / 1000).toFixed(1)} s CPU, ${(spent.wallMs / 1000).toFixed(0)} s; made up in ${(spent.generateMs / 1000).toFixed(1)} s CPU`,
  );
  console.log(`${Math.round(added / (spent.addMs / 1000))} landmarks a CPU second`);
  const cpu = process.cpuUsage();
  await index.flush();
  if (!values['as-is']) await index.compact();
  console.log(`last ${values['as-is'] ? 'flush' : 'merge'}: ${(cpuMs(cpu) / 1000).toFixed(1)} s CPU`);
  rss = Math.max(rss, process.memoryUsage.rss());
  await index.close();
  const reader = await openToRead();
  const health = await reader.health();
  await reader.close();
  const bytes = folderBytes(directory);
  console.log(
    `catalog: ${hours.toFixed(1)} h, ${health.tracks} tracks, ${health.landmarks} landmarks, ${health.details.segments} segments`,
  );
  console.log(
    `files: ${megabytes(bytes)}, ${megabytes(bytes / hours)} an hour, ${(bytes / health.landmarks).toFixed(2)} bytes a landmark; largest RSS ${megabytes(rss)}`,
  );
}

async function query(): Promise<void> {
  const random = seededRandom(7);
  const { real } = openCatalog();
  if (values.cold) dropCaches(directory);
  const opening = performance.now();
  const index = await openToRead();
  console.log(
    `opened in ${Math.round(performance.now() - opening)} ms, RSS ${megabytes(process.memoryUsage.rss())}`,
  );
  const excerpts = Array.from({ length: Number(values.queries) }, () => {
    const n = Math.floor(random.next() * real.length);
    return { n, ...noisyExcerpt(real[n], random) };
  });
  const names = values.levels.split(',');
  for (const { name, depth, candidates, postings } of searchLevels.filter((level) =>
    names.includes(level.name),
  )) {
    const questions = excerpts.map((one) => ({ ...one, landmarks: queryLandmarks(one.query, depth) }));
    console.log(
      `level ${name}: hashes ${percentiles(questions.map(({ landmarks }) => landmarks.hashes.length))}`,
    );
    for (const pass of values.cold ? ['cold'] : ['first', 'resident', 'again']) {
      const cpus: number[] = [];
      const walls: number[] = [];
      let right = 0;
      for (const { n, start, query, landmarks } of questions) {
        const cpu = process.cpuUsage();
        const began = performance.now();
        const [best] = await index.candidates(
          { tenantId, landmarks, lengthFrames: query.lengthFrames, postingBudget: postings },
          candidates,
        );
        walls.push(performance.now() - began);
        cpus.push(cpuMs(cpu));
        if (best?.trackId === trackIdOf(n) && Math.abs((best.offsetFrames ?? NaN) - start) < 22) right++;
      }
      console.log(
        `  ${pass}: CPU ms ${percentiles(cpus)}; wall ms ${percentiles(walls)}; right ${right} of ${questions.length}`,
      );
    }
  }
  await printMemory(index);
  await index.close();
}

async function printMemory(index: EmbeddedIndex): Promise<void> {
  const { details, tracks, landmarks } = await index.health();
  console.log(
    `${tracks} tracks, ${landmarks} landmarks, ${details.segments} segments; pages in memory ${megabytes(Number(details.cacheBytes))}, RSS ${megabytes(process.memoryUsage.rss())}`,
  );
}

async function searchSets(): Promise<void> {
  const catalog = openCatalog();
  const only = new RegExp(values.only);
  const step = Number(values.step);
  const queries = readQueries(setFolders, (set, ordinal) => only.test(set) && ordinal % step === 0);
  const index = await openToRead();
  catalog.announce((await index.health()).tracks);
  const source = sourceOf(index);
  for (let pass = 1; pass <= Number(values.passes); pass++) {
    const levels = new Map<string, number[]>();
    const sets = new Map<string, { right: number; all: number }>();
    const answered: { query: SetQuery; probability: number; n: number }[] = [];
    for (const query of queries) {
      const cpu = process.cpuUsage();
      const { decision, level } = await search(query.peaks, source, new ReferenceCache(catalog));
      const ms = cpuMs(cpu);
      levels.set(level, [...(levels.get(level) ?? []), ms]);
      const place = decision?.answered ? decision.place : undefined;
      const key = query.n === undefined ? 'negatives answered' : query.set;
      const set = sets.get(key) ?? { right: 0, all: 0 };
      set.all++;
      if (query.n === undefined) {
        if (place) set.right++;
      } else if (
        place?.trackId === trackIdOf(query.n) &&
        Math.abs(place.line.offset - query.startFrames) <= 0.5 * framesPerSecond
      )
        set.right++;
      if (place && place.trackId !== (query.n === undefined ? '' : trackIdOf(query.n)))
        answered.push({
          query,
          probability: decision?.probability ?? 0,
          n: catalog.numberOf(place.trackId),
        });
      sets.set(key, set);
      if (values.out !== undefined && pass === 1)
        appendFileSync(
          values.out,
          `${JSON.stringify({ set: query.set, n: query.n, level, ms, probability: decision?.probability, trackId: place?.trackId, offset: place?.line.offset, start: query.startFrames })}\n`,
        );
    }
    console.log(`pass ${pass}`);
    if (pass === 1) for (const [set, { right, all }] of sets) console.log(`  ${set}: ${right} of ${all}`);
    const positives = [...sets].filter(([set]) => set !== 'negatives answered').map(([, counts]) => counts);
    const sum = (key: 'right' | 'all'): number => positives.reduce((total, counts) => total + counts[key], 0);
    console.log(
      `  all positives: ${sum('right')} of ${sum('all')}; wrong track answered: ${answered.length}`,
    );
    for (const { query: wrong, probability, n } of pass === 1 ? answered : [])
      console.log(
        `    ${wrong.set} answered with track ${n}${n < catalog.real.length ? '' : ', made up'}, probability ${probability.toFixed(3)}`,
      );
    for (const [level, times] of levels)
      console.log(`  ended at ${level}: ${times.length} queries, CPU ms ${percentiles(times)}`);
    console.log(`  all: CPU ms ${percentiles([...levels.values()].flat())}`);
  }
  await printMemory(index);
  await index.close();
}

async function remove(): Promise<void> {
  const index = await openEmbeddedIndex({ directory, mode: 'write' });
  const { tracks, bytes } = await index.health();
  const random = seededRandom(3);
  let removed = 0;
  const start = performance.now();
  let cpu = process.cpuUsage();
  for (let n = 0; n < tracks; n++) {
    if (random.next() >= Number(values.share)) continue;
    await index.remove(trackIdOf(n));
    removed++;
  }
  const removing = `${((performance.now() - start) / 1000).toFixed(1)} s, ${(cpuMs(cpu) / 1000).toFixed(1)} s CPU`;
  cpu = process.cpuUsage();
  await index.compact();
  const after = await index.health();
  console.log(
    `removed ${removed} of ${tracks} tracks: ${removing}; merge ${(cpuMs(cpu) / 1000).toFixed(1)} s CPU`,
  );
  console.log(`bytes ${megabytes(bytes)} -> ${megabytes(after.bytes)}; tracks ${after.tracks}`);
  await index.close();
}

if (command === 'build') await build();
else if (command === 'query') await query();
else if (command === 'search') await searchSets();
else await remove();
