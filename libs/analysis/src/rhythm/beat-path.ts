import type { Periodicity } from './periodicity.js';
import { atLag } from './periodicity.js';
import type { Novelty } from './novelty.js';

const tightness = 800;
/** Natural logarithms of small integers. */
const logs = Float64Array.from({ length: 512 }, (_, i) => Math.log(i));
const steps = 13;
const stepRatio = 0.01;

/**
 * Beat period over time, in frames, one value a window of `periodicity`: stays within 6 % of `period` and changes as little
 * as the local autocorrelation allows (Viterbi).
 */
export function periodCurve(periodicity: Periodicity, period: number): Float64Array {
  const { windows, rows } = periodicity;
  const ratios = Array.from({ length: steps }, (_, i) => Math.exp((i - (steps - 1) / 2) * stepRatio));
  let score = new Float64Array(steps);
  const back: Uint8Array[] = [];
  for (let w = 0; w < windows; w++) {
    const next = new Float64Array(steps);
    const from = new Uint8Array(steps);
    for (let s = 0; s < steps; s++) {
      let best = -Infinity;
      for (let p = 0; p < steps; p++) {
        const value = score[p] - (w === 0 ? 0 : 0.02 * (p - s) ** 2);
        if (value > best) [best, from[s]] = [value, p];
      }
      const lag = period * ratios[s];
      let fit = -0.0005 * (s - (steps - 1) / 2) ** 2;
      for (let k = 1; k <= 4; k++) fit += atLag(rows[w], k * lag);
      next[s] = best + fit;
    }
    back.push(from);
    score = next;
  }
  let at = score.indexOf(Math.max(...score));
  const curve = new Float64Array(windows);
  for (let w = windows - 1; w >= 0; w--) {
    curve[w] = period * ratios[at];
    at = back[w][at]!;
  }
  return curve;
}

/** Linear interpolation of a {@link periodCurve} at a frame. */
export function periodAt(curve: Float64Array, centres: Float64Array, frame: number): number {
  let w = 0;
  while (w + 1 < centres.length && centres[w + 1] < frame) w++;
  if (w + 1 >= centres.length || frame <= centres[w]) return curve[w];
  const f = (frame - centres[w]) / (centres[w + 1] - centres[w]);
  return curve[w] * (1 - f) + curve[w + 1] * f;
}

/**
 * Finds the beats that follow the period and sit on strong novelty: dynamic programming over frames.
 *
 * @param local beat period at each frame, frames
 * @returns frames of the beats, ascending
 * @see D. Ellis, "Beat tracking by dynamic programming", Journal of New Music Research 36(1), 2007
 */
export function beatPath(strength: Float32Array, local: Float64Array): Int32Array {
  const n = strength.length;
  const score = new Float64Array(n);
  const back = new Int32Array(n).fill(-1);
  for (let i = 0; i < n; i++) {
    const period = local[i];
    const from = Math.max(0, Math.round(i - 1.3 * period));
    const to = Math.round(i - 0.75 * period);
    const logPeriod = Math.log(period);
    let best = 0;
    let at = -1;
    for (let j = from; j <= to; j++) {
      const stretch = logs[i - j] - logPeriod;
      const value = score[j] - tightness * stretch * stretch;
      if (value > best) [best, at] = [value, j];
    }
    score[i] = strength[i] + best;
    back[i] = at;
  }
  let end = n - 1;
  const tail = Math.max(0, n - Math.round(local[n - 1] ?? 1));
  for (let i = n - 1; i >= tail; i--) if (score[i] > score[end]) end = i;
  const reversed: number[] = [];
  for (let i = end; i >= 0; i = back[i]!) reversed.push(i);
  return Int32Array.from(reversed.reverse());
}

/** Novelty that beats are placed on: the mean of the ranges, smoothed over three frames. */
export function beatStrength(novelty: Novelty): Float32Array {
  const { total, frames } = novelty;
  const out = new Float32Array(frames);
  for (let i = 0; i < frames; i++) {
    out[i] = 0.5 * total[i] + 0.25 * ((total[i - 1] ?? 0) + (total[i + 1] ?? 0));
  }
  return out;
}
