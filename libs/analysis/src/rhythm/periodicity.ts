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
    const row = new Float32Array(longestLag + 1);
    for (const band of novelty.bands) addAutocorrelation(band, start, end, row);
    const zero = row[0] || 1;
    for (let lag = 0; lag < row.length; lag++) {
      row[lag] /= zero;
      mean[lag] += row[lag] / count;
    }
    rows.push(row);
  }
  return { windows: count, lags: longestLag + 1, centres, rows, mean };
}

function addAutocorrelation(band: Float32Array, start: number, end: number, row: Float32Array): void {
  const n = end - start;
  let average = 0;
  for (let i = start; i < end; i++) average += band[i] / n;
  const x = new Float64Array(n);
  // Onsets of neighbouring frames belong together: smoothing keeps lags between two frames comparable.
  for (let i = 0; i < n; i++) {
    const left = i > 0 ? band[start + i - 1] : 0;
    const right = i + 1 < n ? band[start + i + 1] : 0;
    x[i] = 0.25 * left + 0.5 * band[start + i] + 0.25 * right - average;
  }
  for (let lag = 0; lag < row.length && lag < n; lag++) {
    let sum = 0;
    for (let i = lag; i < n; i++) sum += x[i] * x[i - lag];
    row[lag] += sum / (n - lag) ** 0.5;
  }
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
