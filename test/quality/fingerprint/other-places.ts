/**
 * Finds out which answers at another place, or with another track, hold the same audio as the true one.
 *
 *   node test/quality/fingerprint/other-places.ts MUSIC SETS RESULTS.jsonl CACHE
 *
 * For every such answer of evaluate.ts the clip's part of the true track is compared, as it is stored, with the place that
 * was answered. Prints the agreement of the two and, for each set, how many answers are in place, at a repeat (agreement
 * beyond chance and at least a third of the peaks), elsewhere, and missing.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fingerprintConfig, framesPerSecond, QueryRaster, verify } from '@earmark/fingerprint';
import { interval, isInPlace, type ClipLine, type Query } from './report.ts';
import { referencesOf } from './set-catalog.ts';

/** Agreement from which two places hold the same audio; that of the decision. */
const same = { z: 7, share: 0.35 };

const [music, sets, results, cache] = process.argv.slice(2);
const truth = new Map(
  (JSON.parse(readFileSync(join(sets, 'truth.json'), 'utf8')) as Query[]).map((query) => [query.id, query]),
);
const referenceOf = referencesOf(music, cache);

/** Pitch of the clip above its track, steps, by the name of its set. */
function pitchOf({ set, tempo }: Query): number {
  const percent = /^pitch_([+-]\d+)%/.exec(set)?.[1];
  const factor = set.startsWith('speed') ? tempo : percent === undefined ? 1 : 1 + Number(percent) / 100;
  return fingerprintConfig.stepsPerOctave * Math.log2(factor);
}

function agreementOf(query: Query & { track: string }, answer: ClipLine & { track: string }): string {
  if (!answer.line) return 'elsewhere';
  const length = query.seconds * query.tempo * framesPerSecond;
  const raster = QueryRaster.ofReference(referenceOf(query.track), query.ref_start * framesPerSecond, length);
  const start = {
    offset: answer.line.offset,
    speed: answer.line.speed / query.tempo,
    pitch: answer.line.pitch - pitchOf(query),
  };
  const { z, share } = verify(raster, referenceOf(answer.track), start, false);
  const verdict = z > same.z && share > same.share ? 'repeat' : 'elsewhere';
  console.log(
    `${verdict}: ${query.id}, ${query.track} at ${query.ref_start.toFixed(1)} s, answered ${answer.track} at ${(answer.matches[0]?.r_start ?? 0).toFixed(1)} s: ` +
      `z ${z.toFixed(1)}, share ${share.toFixed(2)}`,
  );
  return verdict;
}

const counts = new Map<string, Record<string, number>>();
for (const text of readFileSync(results, 'utf8').trim().split('\n')) {
  const line = JSON.parse(text) as ClipLine;
  const query = truth.get(line.id);
  if (!query || query.track === null) continue;
  let kind = 'missing';
  if (line.matches.length > 0 && line.track !== undefined)
    kind =
      line.right && isInPlace({ query, line })
        ? 'in place'
        : agreementOf({ ...query, track: query.track }, { ...line, track: line.track });
  const own = counts.get(query.set) ?? {};
  own[kind] = (own[kind] ?? 0) + 1;
  counts.set(query.set, own);
}
console.log(
  '| set | n | in place | 95 % interval | or at a repeat | 95 % interval | elsewhere | missing |\n|---|---:|---:|---|---:|---|---:|---:|',
);
const all: Record<string, number> = {};
for (const [set, own] of counts) {
  printRow(set, own);
  for (const [kind, count] of Object.entries(own)) all[kind] = (all[kind] ?? 0) + count;
}
printRow('all', all);

function printRow(name: string, own: Record<string, number>): void {
  const n = Object.values(own).reduce((sum, count) => sum + count, 0);
  const right = own['in place'] ?? 0;
  const repeated = right + (own['repeat'] ?? 0);
  console.log(
    `| ${name} | ${n} | ${(right / n).toFixed(3)} | ${interval(right, n)} | ${(repeated / n).toFixed(3)} | ${interval(repeated, n)} | ${own['elsewhere'] ?? 0} | ${own['missing'] ?? 0} |`,
  );
}
