/**
 * Counts how versions were told from recordings: reads what evaluate.ts made of the sets of make_versions.py.
 *
 *   node test/quality/fingerprint/versions.ts RESULTS.jsonl
 *
 * Prints, for every kind of rendering, how many clips were answered with the right piece, called a version and called the
 * recording. For all kinds but `recording` the last is a false claim.
 */
import { readFileSync } from 'node:fs';
import type { MatchRelation } from '@earmark/fingerprint';

type Row = {
  set: string;
  right: boolean;
  relation?: MatchRelation;
  line?: { z: number; sharpness: number; speed: number };
};

const rows = readFileSync(process.argv[2], 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Row);
console.log(
  '| rendering | clips | right piece | version | recording | sharpness, median |\n|---|---:|---:|---:|---:|---:|',
);
for (const [set, own] of Map.groupBy(rows, (row) => row.set)) {
  const answered = own.filter((row) => row.relation !== undefined && row.right);
  const sharpness = answered.map((row) => row.line?.sharpness ?? 0).sort((a, b) => a - b);
  const count = (relation: MatchRelation): number =>
    answered.filter((row) => row.relation === relation).length;
  console.log(
    `| ${set} | ${own.length} | ${answered.length} | ${count('version')} | ${count('recording')} | ${sharpness[sharpness.length >> 1]?.toFixed(2) ?? '-'} |`,
  );
}
