import {
  binOfPitch,
  pairQueryDetail,
  geometry,
  pairCells,
  pairHash,
  tripleCells,
  tripleCoordinates,
  tripleHash,
  tripleStep,
} from './landmark-cells.js';
import { LandmarkBuffer } from './landmark-buffer.js';
import { forEachPair, forEachTriple } from './landmark-shapes.js';
import type { QueryLandmarks } from './landmarks.js';
import { limitDensity, type Peaks } from './peaks.js';

/** How hard a query is looked for: which landmarks, and how many neighbouring cells of each. */
export type QueryDepth = Readonly<{
  triples?: Readonly<{
    /** Peaks a band and second that take part. */
    quota: number;
    /** Triples that start at one peak, at most. */
    fanOut: number;
    /** Distance to a cell's border, in cells, up to which the neighbour is probed too: intervals and time ratio. */
    margin: number;
    /** Change of pitch, in steps, up to which the anchor's cells are probed. */
    pitchReach: number;
    /** Change of tempo, as a logarithm, up to which the span's cells are probed. */
    tempoReach: number;
  }>;
  pairs?: Readonly<{ quota: number; fanOut: number; margin: number }>;
}>;

/**
 * Hashes to look up for a query, neighbouring cells included.
 *
 * @param peaks of the query at query density
 */
export function queryLandmarks(peaks: Peaks, depth: QueryDepth): QueryLandmarks {
  const out = new LandmarkBuffer(16_384);
  if (depth.triples) pushTriples(out, peaks, depth.triples);
  if (depth.pairs) pushPairs(out, peaks, depth.pairs);
  return out.toQueryLandmarks();
}

function pushTriples(out: LandmarkBuffer, all: Peaks, depth: NonNullable<QueryDepth['triples']>): void {
  const peaks = limitDensity(all, depth.quota);
  const { frames, pitches } = peaks;
  const at = new Float64Array(5);
  const low = new Int32Array(5);
  const high = new Int32Array(5);
  const reach = [
    depth.margin,
    depth.margin,
    depth.margin,
    depth.pitchReach / tripleStep.anchor,
    depth.tempoReach / tripleStep.span,
  ];
  forEachTriple(peaks, depth.fanOut, { start: 0, end: Infinity }, (a, b, c) => {
    const span = frames[c] - frames[a];
    const pitch = pitches[a];
    tripleCoordinates(
      at,
      pitches[b] - pitch,
      pitches[c] - pitch,
      (frames[b] - frames[a]) / span,
      pitch,
      span,
    );
    for (let k = 0; k < 5; k++) {
      low[k] = Math.max(0, Math.floor(at[k] - reach[k]));
      high[k] = Math.min(tripleCells[k] - 1, Math.floor(at[k] + reach[k]));
    }
    const frame = Math.round(frames[a]);
    for (let c0 = low[0]; c0 <= high[0]; c0++)
      for (let c1 = low[1]; c1 <= high[1]; c1++)
        for (let c2 = low[2]; c2 <= high[2]; c2++)
          for (let c3 = low[3]; c3 <= high[3]; c3++)
            for (let c4 = low[4]; c4 <= high[4]; c4++)
              out.push(tripleHash(c0, c1, c2, c3, c4), frame, 0, pitch, span);
  });
}

function pushPairs(out: LandmarkBuffer, all: Peaks, depth: NonNullable<QueryDepth['pairs']>): void {
  const peaks = limitDensity(all, depth.quota);
  const bins = peaks.pitches.map(binOfPitch);
  const { frames, pitches } = peaks;
  const { margin } = depth;
  forEachPair(peaks, bins, depth.fanOut, { start: 0, end: Infinity }, (a, b) => {
    const difference = bins[b] - bins[a] + geometry.pairBins;
    const span = frames[b] - frames[a];
    const frame = Math.round(frames[a]);
    for (let bin = Math.floor(bins[a] - margin); bin <= bins[a] + margin; bin++) {
      for (
        let other = Math.max(0, Math.floor(difference - margin));
        other <= Math.min(pairCells[1] - 1, difference + margin);
        other++
      ) {
        for (
          let time = Math.floor(span - margin);
          time <= Math.min(pairCells[2] - 1, span + margin);
          time++
        ) {
          out.push(pairHash(bin, other, time), frame, pairQueryDetail(difference - other), pitches[a], span);
        }
      }
    }
  });
}
