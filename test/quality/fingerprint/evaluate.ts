/**
 * Measures recognition on the query sets that make_queries.py and make_soundtracks.py built.
 *
 *   node test/quality/fingerprint/evaluate.ts MUSIC SETS OUT.jsonl CACHE [--files] [--only REGEX] [--step N] [--unknown N] [--peaks-alone]
 *
 * Runs `identify` on every clip (every Nth with --step) and `scan` on every soundtrack against the sets' catalog, in an
 * index in memory, which is exact, or with --files in segment files, which round. OUT gets one line a query, for fit_decision.py and for the peers' score.py; what it holds already is not
 * asked again, so that a broken run goes on. With --unknown N every Nth
 * positive is asked again with its own track left out: a negative from the same kind of audio. --peaks-alone leaves the
 * spectrum of the queries away.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  framesPerSecond,
  missingPeaks,
  relationOf,
  scan,
  search,
  type CandidateSource,
  type Decision,
  type Match,
  type Peaks,
} from '@earmark/fingerprint';
import type { TrackId } from '@earmark/kernel';
import { peaksOf } from './peak-cache.ts';
import {
  printClips,
  printSoundtracks,
  type ClipLine,
  type ClipResult,
  type Query,
  type Soundtrack,
} from './report.ts';
import { earlierLines, indexFilesOf, openSetCatalog } from './set-catalog.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    files: { type: 'boolean', default: false },
    only: { type: 'string' },
    step: { type: 'string' },
    unknown: { type: 'string' },
    'peaks-alone': { type: 'boolean' },
  },
});
const [music, sets, out, cache] = positionals;
const only = new RegExp(values.only ?? '');
const step = Number(values.step ?? 1);
const unknownStep = Number(values.unknown ?? 0);

const read = <T>(name: string): T => JSON.parse(readFileSync(join(sets, name), 'utf8')) as T;
const catalog = openSetCatalog(music, sets, cache);
const { tracks, hours, references } = catalog;
const index = values.files ? await indexFilesOf(catalog) : catalog.index;
console.log(
  `${tracks.size} tracks, ${hours.toFixed(2)} h, ${(catalog.index.size / hours / 1000).toFixed(0)} k landmarks an hour`,
);

/** The index without one track. */
function without(track: TrackId): CandidateSource {
  return {
    candidates: async (landmarks, length, k) =>
      (await index.candidates(landmarks, length, k + 12))
        .filter((found) => found.trackId !== track)
        .slice(0, k),
  };
}

const known = earlierLines<ClipLine>(out, ({ id }) => id);

/** The line of a query: as an earlier run left it, or asked now. */
async function ask(query: Query, peaks: () => Peaks, source: CandidateSource): Promise<ClipLine> {
  const earlier = known.get(query.id);
  if (earlier) return earlier;
  const heard = peaks();
  const start = process.cpuUsage();
  const { decision, level } = await search(heard, source, references);
  const { user, system } = process.cpuUsage(start);
  const reference = decision?.answered ? await references.get(decision.place.trackId) : undefined;
  const missing = decision && reference ? missingPeaks(heard, reference, decision.place.line) : undefined;
  const line = describe(query, { decision, level, cpuMs: (user + system) / 1000, missing });
  appendFileSync(out, `${JSON.stringify(line)}\n`);
  return line;
}

const results: ClipResult[] = [];
const queries = read<Query[]>('truth.json').filter(
  (query) => only.test(query.set) && Number(/(\d+)\.\w+$/.exec(query.id)?.[1]) % step === 0,
);
for (const [i, query] of queries.entries()) {
  const peaks = (): Peaks => {
    const { spectrum, ...alone } = peaksOf(join(sets, query.id), cache);
    return spectrum && !values['peaks-alone'] ? { ...alone, spectrum } : alone;
  };
  results.push({ query, line: await ask(query, peaks, index) });
  if (unknownStep > 0 && query.track && i % unknownStep === 0) {
    const unknown = { ...query, track: null, set: `unknown_${query.set}`, id: `unknown ${query.id}` };
    await ask(unknown, peaks, without(query.track as TrackId));
  }
}
printClips(results);
for (const [level, own] of Map.groupBy(results, ({ line }) => line.level)) {
  const cpuMs = own.reduce((sum, { line }) => sum + line.cpuMs, 0) / own.length;
  console.log(`ended at ${level}: ${own.length} queries, ${cpuMs.toFixed(1)} ms CPU each`);
}

if (existsSync(join(sets, 'videos.json')) && only.test('video')) {
  const found: { soundtrack: Soundtrack; matches: readonly Match[] }[] = [];
  let seconds = 0;
  const start = process.cpuUsage();
  for (const soundtrack of read<Soundtrack[]>('videos.json')) {
    const matches = await scan(peaksOf(join(sets, soundtrack.id), cache), { ...catalog, index });
    seconds += soundtrack.seconds;
    found.push({ soundtrack, matches });
    if (known.has(soundtrack.id)) continue;
    appendFileSync(
      out,
      `${JSON.stringify({
        id: soundtrack.id,
        matches: matches.map((m) => ({
          track: m.trackId,
          q_start: m.queryStartMs / 1e3,
          q_end: m.queryEndMs / 1e3,
          r_start: m.referenceStartMs / 1e3,
          score: m.probability,
          role: m.role,
        })),
      })}\n`,
    );
  }
  const used = process.cpuUsage(start);
  console.log(
    `scan: ${((seconds * 1e6) / (used.user + used.system)).toFixed(0)} x real time, landmarks and search`,
  );
  printSoundtracks(found);
}
/** The line of a query: the peers' format and the evidence. */
function describe(
  query: Query,
  {
    decision,
    level,
    cpuMs,
    missing,
  }: Pick<ClipLine, 'level' | 'cpuMs' | 'missing'> & { decision: Decision | undefined },
): ClipLine {
  const answered = decision?.answered;
  const line = decision?.place.line;
  return {
    id: query.id,
    set: query.set,
    source: query.source,
    positive: query.track !== null,
    level,
    cpuMs: Math.round(cpuMs * 10) / 10,
    right: decision !== undefined && decision.place.trackId === query.track,
    probability: decision?.probability ?? 0,
    evidence: decision?.evidence,
    track: decision?.place.trackId,
    relation: answered && line ? relationOf(line, missing) : undefined,
    line,
    missing,
    matches:
      answered && line
        ? [
            {
              track: decision.place.trackId,
              q_start: 0,
              q_end: query.seconds,
              r_start: line.offset / framesPerSecond,
              score: decision.score,
            },
          ]
        : [],
  };
}
