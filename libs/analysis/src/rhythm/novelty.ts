import type { OnsetStrength } from './onset-strength.js';
import { onsetRateHz } from './onset-strength.js';

/** Onset strength freed of its local mean and scale: one array a range and their mean, each of `frames` values >= 0. */
export type Novelty = Readonly<{ frames: number; bands: readonly Float32Array[]; total: Float32Array }>;

const meanFrames = 0.4 * onsetRateHz;
const scaleFrames = 6 * onsetRateHz;

/**
 * Prepares onset strength for beat tracking: each range loses its mean over 0.8 s, negative values become 0, and the
 * rest is divided by its root mean square over 12 s (at least a fifth of that of the whole signal), so that quiet
 * passages count.
 */
export function toNovelty(onsets: OnsetStrength): Novelty {
  const { frames, bands: count, values } = onsets;
  const bands: Float32Array[] = [];
  const total = new Float32Array(frames);
  for (let band = 0; band < count; band++) {
    const raw = new Float64Array(frames);
    for (let i = 0; i < frames; i++) raw[i] = values[i * count + band]!;
    const mean = movingMean(raw, meanFrames);
    const squares = new Float64Array(frames);
    let power = 0;
    for (let i = 0; i < frames; i++) {
      raw[i] = Math.max(0, raw[i] - mean[i]);
      squares[i] = raw[i] * raw[i];
      power += squares[i] / frames;
    }
    const local = movingMean(squares, scaleFrames);
    const out = new Float32Array(frames);
    const floor = Math.max(0.04 * power, 1e-8);
    for (let i = 0; i < frames; i++) {
      out[i] = raw[i] / Math.sqrt(Math.max(local[i], floor));
      total[i] += out[i] / count;
    }
    bands.push(out);
  }
  return { frames, bands, total };
}

/** Mean over `2 * radius + 1` values round each value, fewer at the ends. */
export function movingMean(values: Float64Array, radius: number): Float64Array {
  const n = values.length;
  const sums = new Float64Array(n + 1);
  for (let i = 0; i < n; i++) sums[i + 1] = sums[i] + values[i];
  const out = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const from = Math.max(0, i - radius);
    const to = Math.min(n, i + radius + 1);
    out[i] = (sums[to] - sums[from]) / (to - from);
  }
  return out;
}
