/**
 * Finds out which answers to negatives are true relations: tracks that share audio with the queried piece elsewhere too.
 *
 *   node test/quality/fingerprint/relations.ts MUSIC RESULTS.jsonl CACHE OUT.json [--least 3] [--probable 0]
 *
 * For every negative (or query whose own track was left out) whose evidence is at least `--least` ahead of chance, and
 * whose probability is at least `--probable`, the whole queried piece is compared with the answered track, window by window. A pair is related when at least four windows of
 * 10 s, a fifth of a minute apart, agree far beyond chance. OUT lists related pairs with the number of such windows.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { peaksOf } from './peak-cache.ts';
import { storedPeaksOf } from './set-catalog.ts';
import { relatedFrom, sharedWindows } from './shared-audio.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { least: { type: 'string', default: '3' }, probable: { type: 'string', default: '0' } },
});
const [music, results, cache, out] = positionals;
const least = Number(values.least);
const probable = Number(values.probable);

type Row = {
  positive: boolean;
  source?: string;
  track?: string;
  probability: number;
  evidence?: { z: number; rivalZ: number };
};
const pairs = new Map<string, [string, string]>();
for (const line of readFileSync(results, 'utf8').trim().split('\n')) {
  const { positive, source, track, probability, evidence } = JSON.parse(line) as Row;
  if (positive || !evidence || !source || track === undefined || probability < probable) continue;
  if (evidence.z - evidence.rivalZ >= least) pairs.set(`${source}\n${track}`, [source, track]);
}
const related: { source: string; track: string; windows: number }[] = [];
for (const [source, track] of pairs.values()) {
  const reference = storedPeaksOf(join(music, track), cache);
  const windows = sharedWindows(peaksOf(join(music, source), cache), reference);
  console.log(`${windows} windows: ${source} -> ${track}`);
  if (windows >= relatedFrom) related.push({ source, track, windows });
}
writeFileSync(out, `${JSON.stringify(related, undefined, 1)}\n`);
