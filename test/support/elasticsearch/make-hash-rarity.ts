/**
 * Counts how often each cell of a hash occurs in music and writes the table that puts a query's keys in order of rarity.
 *
 *   node test/support/elasticsearch/make-hash-rarity.ts MUSIC.emfp > libs/fingerprint-index/src/elasticsearch/hash-rarity.generated.ts
 *
 * MUSIC.emfp comes from `earmark fingerprint`. The order hardly depends on which music: a few hours are enough.
 */
import { decodeFingerprintFile } from '@earmark/engine';
import {
  chunkRanges,
  decodePeaks,
  fingerprintConfig,
  framesToMs,
  indexLandmarks,
  limitDensity,
  pairCells,
  tripleCells,
  unmixHash,
} from '@earmark/fingerprint';
import { readFileSync } from 'node:fs';

const [path] = process.argv.slice(2);
if (path === undefined) throw new Error('usage: make-hash-rarity.ts MUSIC.emfp');

const [first, second, ratios, anchors, spans] = tripleCells;
const counts = {
  intervals: new Float64Array(first * second),
  ratioAndSpan: new Float64Array(ratios * spans),
  anchor: new Float64Array(anchors),
  pairBin: new Float64Array(pairCells[0]),
  pairDifference: new Float64Array(pairCells[1]),
  pairFrames: new Float64Array(pairCells[2]),
};

function count(key: number): void {
  if (key >= 0x8000_0000) {
    counts.pairBin[(key >>> 13) & 511]++;
    counts.pairDifference[(key >>> 6) & 127]++;
    counts.pairFrames[key & 63]++;
    return;
  }
  const span = key % spans;
  let rest = (key - span) / spans;
  const anchor = rest % anchors;
  rest = (rest - anchor) / anchors;
  const ratio = rest % ratios;
  counts.intervals[(rest - ratio) / ratios]++;
  counts.ratioAndSpan[ratio * spans + span]++;
  counts.anchor[anchor]++;
}

/** Bits of each cell times eight; a cell that was never seen counts as seen half a time. */
function table(cells: Float64Array): string {
  const total = cells.reduce((sum, value) => sum + value, 0) + cells.length / 2;
  const bits = Uint8Array.from(cells, (value) =>
    Math.min(255, Math.round(-8 * Math.log2((value + 0.5) / total))),
  );
  return Buffer.from(bits).toString('base64');
}

let durationMs = 0;
for (const record of decodeFingerprintFile(readFileSync(path))) {
  const peaks = limitDensity(decodePeaks(record.peaks), fingerprintConfig.indexQuota);
  durationMs += framesToMs(peaks.lengthFrames);
  for (const range of chunkRanges(peaks.lengthFrames)) {
    for (const hash of indexLandmarks(peaks, range).hashes) count(unmixHash(hash));
  }
}
const hours = (durationMs / 3_600_000).toFixed(1);
const lines = Object.entries(counts).map(([name, cells]) => `  ${name}: '${table(cells)}',`);
process.stdout.write(
  `/** Rarity of cells in eighths of a bit, from ${hours} h of music; written by test/support/elasticsearch/make-hash-rarity.ts. */\n` +
    `export const rarityTables = {\n${lines.join('\n')}\n} as const;\n`,
);
