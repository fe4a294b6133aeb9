import { RealFft } from '@earmark/dsp';
import type { Novelty } from './novelty.js';
import { onsetRateHz } from './onset-strength.js';

/** Autocorrelation of novelty over time: `windows` rows of `lags` values; lag 0 of every row is 1. */
export type Periodicity = Readonly<{
  windows: number;
  lags: number;
  /** Frame of the centre of each window. */
  centres: Float64Array;
  rows: readonly Float32Array[];
  /** Mean of the rows. */
  mean: Float32Array;
}>;

const windowFrames = 12 * onsetRateHz;
const hopFrames = 6 * onsetRateHz;
/** Longest lag, frames: 4.8 s. */
export const longestLag = 480;

/** Holds a window and the longest lag, so that the transform's circle does not close. */
const fftSize = 2048;
const fft = new RealFft(fftSize);

/** Autocorrelates the ranges of the novelty in windows of 12 s, every 6 s, and adds them up. */
export function periodicityOf(novelty: Novelty): Periodicity {
  const { frames } = novelty;
  const count = Math.max(1, Math.ceil((frames - windowFrames) / hopFrames) + 1);
  const rows: Float32Array[] = [];
  const centres = new Float64Array(count);
  const mean = new Float32Array(longestLag + 1);
  for (let w = 0; w < count; w++) {
    const start = Math.max(0, Math.min(w * hopFrames, frames - windowFrames));
    const end = Math.min(frames, start + windowFrames);
    centres[w] = (start + end) / 2;
    const row = autocorrelation(novelty.bands, start, end);
    const zero = row[0] || 1;
    for (let lag = 0; lag < row.length; lag++) {
      row[lag] /= zero;
      mean[lag] += row[lag] / count;
    }
    rows.push(row);
  }
  return { windows: count, lags: longestLag + 1, centres, rows, mean };
}

/** Autocorrelation of the bands from `start` to `end`, summed, each lag over the root of the values it is made of. */
function autocorrelation(bands: readonly Float32Array[], start: number, end: number): Float32Array {
  const n = end - start;
  const x = new Float64Array(fftSize);
  const power = new Float64Array(fftSize);
  const spectrum = fft.createSpectrum();
  for (const band of bands) {
    let average = 0;
    for (let i = 0; i < n; i++) average += band[start + i] / n;
    // Onsets of neighbouring frames belong together: smoothing keeps lags between two frames comparable.
    for (let i = 0; i < n; i++) {
      const left = i > 0 ? band[start + i - 1] : 0;
      const right = i + 1 < n ? band[start + i + 1] : 0;
      x[i] = 0.25 * left + 0.5 * band[start + i] + 0.25 * right - average;
    }
    const { re, im } = fft.forward(x, spectrum);
    for (let k = 0; k < re.length; k++) power[k] += re[k] * re[k] + im[k] * im[k];
  }
  for (let k = 1; k < fftSize / 2; k++) power[fftSize - k] = power[k];
  const { re } = fft.forward(power, spectrum);
  const row = new Float32Array(longestLag + 1);
  for (let lag = 0; lag < row.length && lag < n; lag++) row[lag] = re[lag] / fftSize / (n - lag) ** 0.5;
  return row;
}

/** Value of a row at a lag between two frames, 0 outside. */
export function atLag(row: Float32Array, lag: number): number {
  const i = Math.floor(lag);
  if (i < 0 || i + 1 >= row.length) return 0;
  const f = lag - i;
  return row[i] * (1 - f) + row[i + 1] * f;
}

/** Shortest and longest beat considered, frames (300 and 38 BPM). */
export const beatLags = { shortest: 20, longest: 158 } as const;

const related = [1, 1 / 2, 2, 1 / 3, 3, 2 / 3, 3 / 2, 4, 1 / 4];

/**
 * Candidate beat periods in frames: peaks of the mean autocorrelation and their simple multiples and fractions, sharpened
 * on their own multiples; no two within 4 % of each other.
 */
export function candidatePeriods(periodicity: Periodicity, most = 5): number[] {
  const { mean } = periodicity;
  const peaks: { lag: number; value: number }[] = [];
  for (let lag = 15; lag < 2.4 * onsetRateHz; lag++) {
    if (mean[lag] > mean[lag - 1] && mean[lag] >= mean[lag + 1]) {
      peaks.push({ lag, value: mean[lag] });
    }
  }
  peaks.sort((a, b) => b.value - a.value);
  const periods: number[] = [];
  for (const peak of peaks.slice(0, most)) {
    for (const factor of related) {
      const rough = peak.lag * factor;
      if (rough < beatLags.shortest - 1 || rough > beatLags.longest + 1) continue;
      const period = sharpen(mean, rough);
      if (period < beatLags.shortest || period > beatLags.longest) continue;
      if (periods.every((other) => Math.abs(Math.log(other / period)) > 0.04)) periods.push(period);
    }
  }
  return periods;
}

/** Moves a period by at most 2.5 % to where its first multiples correlate best. */
export function sharpen(row: Float32Array, rough: number): number {
  let best = rough;
  let top = -Infinity;
  for (let step = -25; step <= 25; step++) {
    const period = rough * (1 + step / 1000);
    let sum = -1e-5 * step * step;
    for (let k = 1; k * period < longestLag && k <= 8; k++) sum += atLag(row, k * period) / Math.sqrt(k);
    if (sum > top) [top, best] = [sum, period];
  }
  return best;
}
