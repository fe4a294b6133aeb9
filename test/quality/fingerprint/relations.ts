/**
 * Finds out which answers to negatives are true relations: tracks that share audio with the queried piece elsewhere too.
 *
 *   node test/quality/fingerprint/relations.ts MUSIC RESULTS.jsonl CACHE OUT.json [--least 3]
 *
 * For every negative (or query whose own track was left out) whose evidence is at least `--least` ahead of chance, the whole
 * queried piece is compared with the answered track, window by window. A pair is related when at least four windows of
 * 10 s, a fifth of a minute apart, agree far beyond chance. OUT lists related pairs with the number of such windows.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  fingerprintConfig,
  limitDensity,
  MemoryIndex,
  QueryRaster,
  queryLandmarks,
  referencePeaks,
  searchLevels,
  centsPerStep,
  slicePeaks,
  verify,
} from '@earmark/fingerprint';
import type { TrackId } from '@earmark/kernel';
import { peaksOf } from './peak-cache.ts';

const { positionals, values } = parseArgs({ allowPositionals: true, options: { least: { type: 'string' } } });
const [music, results, cache, out] = positionals;
const least = Number(values.least ?? 3);
/** Agreement of a window beyond which two pieces share its audio. */
const sharedZ = 11;
const windowsNeeded = 4;

type Row = { positive: boolean; source: string; track?: string; evidence?: { z: number; rivalZ: number } };
const pairs = new Map<string, [string, string]>();
for (const line of readFileSync(results, 'utf8').trim().split('\n')) {
  const row = JSON.parse(line) as Row;
  if (row.positive || !row.evidence || row.track === undefined) continue;
  if (row.evidence.z - row.evidence.rivalZ >= least)
    pairs.set(`${row.source}\n${row.track}`, [row.source, row.track]);
}
const related: { source: string; track: string; windows: number }[] = [];
for (const [source, track] of pairs.values()) {
  const reference = limitDensity(peaksOf(join(music, track), cache), fingerprintConfig.indexQuota);
  const index = new MemoryIndex();
  index.add(track as TrackId, reference);
  const prepared = referencePeaks(reference);
  const piece = peaksOf(join(music, source), cache);
  let windows = 0;
  for (let start = 0; start + 440 <= piece.lengthFrames; start += 516) {
    const query = slicePeaks(piece, start, start + 440);
    const raster = QueryRaster.ofQuery(query);
    const [best] = index.find(queryLandmarks(query, searchLevels[1].depth), 440, 3);
    if (best?.offsetFrames === undefined) continue;
    const line = verify(
      raster,
      prepared,
      { offset: best.offsetFrames, speed: best.speed ?? 1, pitch: (best.pitchCents ?? 0) / centsPerStep },
      false,
    );
    if (line.z >= sharedZ) windows++;
  }
  console.log(`${windows} windows: ${source} -> ${track}`);
  if (windows >= windowsNeeded) related.push({ source, track, windows });
}
writeFileSync(out, `${JSON.stringify(related, undefined, 1)}\n`);
