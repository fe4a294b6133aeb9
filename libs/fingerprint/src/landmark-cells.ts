import { fingerprintConfig as config } from './config.js';
import { mixHash, unmixHash } from './hash-cells.js';

/**
 * Geometry of landmarks: which peaks may form one, and the cells that its hash names.
 *
 * A triple A, B, C hashes two pitch intervals and the ratio of two times, which pitch, tempo and speed changes leave
 * alone, and coarsely the anchor's pitch and the length, which limit how far a change may go. A pair hashes two
 * frequencies and a time as they are: two peaks survive hard noise more often than three.
 */
export const geometry = {
  /** Shortest and longest time between first and last peak of a triple, frames. */
  tripleSpan: [6, 60],
  /** Least time from anchor to second peak, and from second to third, frames. */
  tripleGap: [3, 2],
  /** Least and largest pitch interval to the anchor, steps. */
  tripleInterval: [1.5, 54],
  /** Shortest and longest time between the peaks of a pair, frames. */
  pairSpan: [2, 63],
  /** Largest distance between the peaks of a pair, bins. */
  pairBins: 60,
} as const;

/** Sizes of the cells of a triple's hash: intervals (steps), time ratio, anchor (steps), span (natural logarithm). */
export const tripleStep = { interval: 1.2, ratio: 0.045, anchor: 9, span: 0.16 } as const;

/** Number of cells of a triple: first interval, second interval, ratio, anchor, span. */
export const tripleCells = [92, 92, 24, 20, 18] as const;

/** Number of cells of a pair: first bin, bin difference, frames. */
export const pairCells = [512, 128, 64] as const;

/** Set in the code of a pair, clear in that of a triple. */
const pairBit = 0x8000_0000;

const spanOrigin = Math.log(geometry.tripleSpan[0]);

/** Bins of the pitches that peaks have: multiples of 1/32 step. */
const binOfThirtySecond = new Float64Array(8192).map(
  (_, i) => config.firstBin * 2 ** (i / 32 / config.stepsPerOctave),
);

/** Pitch in steps as FFT bin with fraction. */
export function binOfPitch(pitch: number): number {
  const known = binOfThirtySecond[pitch * 32];
  return known ?? config.firstBin * 2 ** (pitch / config.stepsPerOctave);
}

/** Coordinates of a triple in cells; the integer parts name the cell. */
export function tripleCoordinates(
  out: Float64Array,
  interval1: number,
  interval2: number,
  ratio: number,
  anchor: number,
  span: number,
): void {
  out[0] = (interval1 + geometry.tripleInterval[1]) / tripleStep.interval;
  out[1] = (interval2 + geometry.tripleInterval[1]) / tripleStep.interval;
  out[2] = ratio / tripleStep.ratio;
  out[3] = anchor / tripleStep.anchor + 0.5;
  out[4] = (Math.log(span) - spanOrigin) / tripleStep.span + 0.5;
}

/** Hash of a triple's cell. */
export function tripleHash(c0: number, c1: number, c2: number, c3: number, c4: number): number {
  return mixHash(
    (((c0 * tripleCells[1] + c1) * tripleCells[2] + c2) * tripleCells[3] + c3) * tripleCells[4] + c4,
  );
}

/** Hash of a pair's cell. */
export function pairHash(bin: number, difference: number, frames: number): number {
  return mixHash((pairBit | (bin << 13) | (difference << 6) | frames) >>> 0);
}

/** Position inside a cell as 4 bits. */
export function residual(coordinate: number, cell: number): number {
  const value = Math.floor((coordinate - cell) * 16);
  return value < 0 ? 0 : value > 15 ? 15 : value;
}

/** What a posting's hash and detail byte say about the reference. */
export type DecodedHash = {
  isPair: boolean;
  /** Anchor pitch (triple, steps) or anchor frequency (pair, bins) at the start of its cell. */
  anchor: number;
  /** Logarithm of the span in frames at the start of its cell (triples). */
  logSpan: number;
};

/** True when the code of a hash (its mixing undone) is that of a pair. */
export function isPairCode(code: number): boolean {
  return code >= pairBit;
}

/** Splits a hash into what voting needs; the detail byte refines it ({@link anchorOfDetail}, {@link logSpanOfDetail}). */
export function decodeHash(hash: number, out: DecodedHash): void {
  let code = unmixHash(hash);
  out.isPair = isPairCode(code);
  if (out.isPair) {
    out.anchor = (code >>> 13) & 511;
    out.logSpan = 0;
    return;
  }
  const span = code % tripleCells[4];
  code = (code - span) / tripleCells[4];
  out.anchor = ((code % tripleCells[3]) - 0.5) * tripleStep.anchor;
  out.logSpan = spanOrigin + (span - 0.5) * tripleStep.span;
}

/** Steps (triple) or bins (pair) that the detail byte adds to the anchor. */
export const anchorOfDetail = {
  triple: new Float32Array(256).map((_, detail) => (((detail >> 4) + 0.5) / 16) * tripleStep.anchor),
  pair: new Float32Array(256).map((_, detail) => ((detail >> 4) + 0.5) / 16),
} as const;

/** Logarithm of the span that the detail byte of a triple adds. */
export const logSpanOfDetail = new Float32Array(256).map(
  (_, detail) => (((detail & 15) + 0.5) / 16) * tripleStep.span,
);

/** Detail byte of a query's pair: where its bin difference lies relative to the probed cell, from -0.5 to 1.5 cells. */
export function pairQueryDetail(distance: number): number {
  return Math.max(0, Math.min(255, Math.round((distance + 0.5) * 128)));
}

/** Bins from the reference's difference to the query's, by the detail bytes of both. */
export function pairDifferenceError(queryDetail: number, detail: number): number {
  return queryDetail / 128 - 0.5 - ((detail & 15) + 0.5) / 16;
}
