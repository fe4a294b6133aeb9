/**
 * Counts how versions were told from recordings in what evaluate.ts made of the sets of make_versions.py or make_queries.py.
 *
 *   node test/quality/fingerprint/versions.ts MUSIC SETS RESULTS.jsonl CACHE
 *
 * Prints for every set how many clips were answered with the right piece, called a version and called the recording, as
 * `relationOf` decides today, and the medians of what it decides by. In the sets of make_versions.py all but `recording`
 * are versions; in those of make_queries.py all are recordings.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { missingPeaks, relationOf, type MissingPeaks } from '@earmark/fingerprint';
import { peaksOf } from './peak-cache.ts';
import type { ClipLine } from './report.ts';
import { referencesOf } from './set-catalog.ts';

const [music, sets, results, cache] = process.argv.slice(2);
const lines = readFileSync(results, 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as ClipLine)
  .filter((line) => line.positive);

const referenceOf = referencesOf(music, cache);

type Judged = Readonly<{ relation: string; sharpness: number; missing: MissingPeaks }>;

function judge({ id, track, line }: ClipLine): Judged[] {
  if (track === undefined || !line) return [];
  const missing = missingPeaks(peaksOf(join(sets, id), cache), referenceOf(track), line);
  return [{ relation: relationOf(line, missing), sharpness: line.sharpness, missing }];
}

function median(values: readonly number[]): string {
  return values.length > 0 ? [...values].sort((a, b) => a - b)[values.length >> 1].toFixed(2) : '-';
}

console.log(
  '| set | clips | right piece | version | recording | sharpness | softer | missing | judged |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|',
);
const all = { right: 0, version: 0 };
for (const [set, own] of Map.groupBy(lines, (line) => line.set)) {
  const judged = own.filter((line) => line.right && line.matches.length > 0).flatMap(judge);
  const versions = judged.filter(({ relation }) => relation === 'version').length;
  all.right += judged.length;
  all.version += versions;
  console.log(
    `| ${set} | ${own.length} | ${judged.length} | ${versions} | ${judged.length - versions} | ${median(judged.map((j) => j.sharpness))} | ` +
      `${median(judged.map((j) => j.missing.softer))} | ${median(judged.map((j) => j.missing.missing))} | ${median(judged.map((j) => j.missing.judged / Math.max(1, j.missing.compared)))} |`,
  );
}
console.log(`all: ${all.version} of ${all.right} called a version`);
