import { requirePowerOfTwo } from './option-error.js';

/**
 * Tables of an in-place real FFT: N real values as N / 2 complex ones, decimation in frequency, one radix-2 pass where
 * log2(N / 2) is odd, then radix-4 passes, the order put right while the real spectrum is taken apart.
 */
export type FftPlan = Readonly<{
  /** Number N of real values. */
  size: number;
  /** Twiddle factors of all passes in order: [wr, wi] a column in a radix-2 pass, [w, w^2, w^3] in a radix-4 pass. */
  twiddles: Float64Array;
  /** Place of complex bin k after the passes, k = 0 .. N / 2 - 1. */
  places: Uint32Array;
  /** exp(-2 pi i k / N) as [re, im], k = 0 .. N / 4. */
  splits: Float64Array;
}>;

/**
 * Makes the tables.
 *
 * @param size number of real values, a power of two from 4 to 1,048,576
 * @throws {DspOptionError} for another size
 */
export function createFftPlan(size: number): FftPlan {
  requirePowerOfTwo('fftSize', size, 4, 1 << 20);
  const half = size / 2;
  const twiddles: number[] = [];
  const radices = passRadices(half);
  let span = half;
  for (const radix of radices) {
    for (let j = 0; j < span / radix; j++) {
      for (let power = 1; power < radix; power++) twiddles.push(...unitRoot((power * j) / span));
    }
    span /= radix;
  }
  const places = new Uint32Array(half);
  for (let k = 0; k < half; k++) {
    let rest = k;
    let width = half;
    for (const radix of radices) {
      width /= radix;
      places[k] += (rest % radix) * width;
      rest = Math.floor(rest / radix);
    }
  }
  const splits: number[] = [];
  for (let k = 0; k <= size / 4; k++) splits.push(...unitRoot(k / size));
  return { size, twiddles: Float64Array.from(twiddles), places, splits: Float64Array.from(splits) };
}

/** Radices of the passes over `length` complex values: at most one 2 at the start, then only 4. */
export function passRadices(length: number): readonly (2 | 4)[] {
  const radices: (2 | 4)[] = [];
  let rest = length;
  if (Math.log2(length) % 2 === 1) {
    radices.push(2);
    rest /= 2;
  }
  for (; rest > 1; rest /= 4) radices.push(4);
  return radices;
}

function unitRoot(turns: number): [number, number] {
  return [Math.cos(2 * Math.PI * turns), -Math.sin(2 * Math.PI * turns)];
}
