import { binOfPitch, geometry, pairHash, residual, tripleCoordinates, tripleHash } from './landmark-cells.js';
import { LandmarkBuffer } from './landmark-buffer.js';
import { forEachPair, forEachTriple, type FrameRange } from './landmark-shapes.js';
import type { Landmarks } from './landmarks.js';
import { limitDensity, type Peaks } from './peaks.js';

/** How densely references are indexed: peaks a band and second that take part, landmarks that start at one peak. */
export const indexDensity = {
  triples: { quota: 4, fanOut: 5 },
  pairs: { quota: 5, fanOut: 3 },
} as const;

/** Length of a chunk in frames (about 40 s). */
export const chunkFrames = 1720;

/** Frame ranges of the chunks of a recording. The last one is at most half a chunk longer than the others. */
export function chunkRanges(lengthFrames: number): readonly FrameRange[] {
  const count = Math.max(1, Math.round(lengthFrames / chunkFrames));
  return Array.from({ length: count }, (_, i) => ({
    start: i * chunkFrames,
    end: i === count - 1 ? Math.max(lengthFrames + 1, (i + 1) * chunkFrames) : (i + 1) * chunkFrames,
  }));
}

/**
 * Hashes of the landmarks whose anchor lies in the range, for the index.
 *
 * @param peaks of the whole recording, at index density or above
 * @param range frames; `frames` of the result count from `range.start`
 */
export function indexLandmarks(peaks: Peaks, range: FrameRange): Landmarks {
  const sparse = limitDensity(peaks, indexDensity.triples.quota);
  const out = new LandmarkBuffer(4096);
  const at = new Float64Array(5);
  forEachTriple(sparse, indexDensity.triples.fanOut, range, (a, b, c) => {
    const { frames, pitches } = sparse;
    const span = frames[c] - frames[a];
    tripleCoordinates(
      at,
      pitches[b] - pitches[a],
      pitches[c] - pitches[a],
      (frames[b] - frames[a]) / span,
      pitches[a],
      span,
    );
    const anchorCell = Math.floor(at[3]);
    const spanCell = Math.floor(at[4]);
    const hash = tripleHash(Math.floor(at[0]), Math.floor(at[1]), Math.floor(at[2]), anchorCell, spanCell);
    const detail = (residual(at[3], anchorCell) << 4) | residual(at[4], spanCell);
    out.push(hash, Math.round(frames[a]) - range.start, detail, pitches[a], span);
  });
  const dense = limitDensity(peaks, indexDensity.pairs.quota);
  const bins = dense.pitches.map(binOfPitch);
  forEachPair(dense, bins, indexDensity.pairs.fanOut, range, (a, b) => {
    const difference = bins[b] - bins[a] + geometry.pairBins;
    const bin = Math.floor(bins[a]);
    const differenceBin = Math.floor(difference);
    const span = dense.frames[b] - dense.frames[a];
    const detail = (residual(bins[a], bin) << 4) | residual(difference, differenceBin);
    out.push(
      pairHash(bin, differenceBin, Math.floor(span)),
      Math.round(dense.frames[a]) - range.start,
      detail,
      dense.pitches[a],
      span,
    );
  });
  return out.toLandmarks();
}
