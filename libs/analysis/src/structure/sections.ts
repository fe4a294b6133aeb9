import type { Timbre } from '../rhythm/onset-strength.js';
import { timbreRateHz, timbreSize } from '../rhythm/onset-strength.js';
import type { Chroma } from '../tonal/chroma.js';
import { chromaSize } from '../tonal/chroma.js';

/** A part of a recording; parts that sound alike share a label (`A`, `B`, ...). */
export type Section = Readonly<{ startSeconds: number; endSeconds: number; label: string }>;

const kernelBars = 8;
const shortestBars = 4;
const fallbackBarSeconds = 2;
const alike = 0.9;
const chromaWeight = 1;
const size = timbreSize + 12;

/**
 * Divides a recording at peaks of novelty: a checkerboard kernel along the diagonal of the self-similarity of bars
 * (chroma and timbre). Only similarities within eight bars are computed, so that time grows with duration.
 *
 * @param downbeatSeconds starts of bars; with fewer than eight, steps of 2 s are taken instead
 * @returns sections without gaps from 0 to the duration; one section for a short recording
 * @see J. Foote, "Automatic audio segmentation using a measure of audio novelty", ICME 2000
 */
export function findSections(
  downbeatSeconds: readonly number[],
  durationSeconds: number,
  timbre: Timbre,
  chroma: Chroma,
): Section[] {
  const grid = barGrid(downbeatSeconds, durationSeconds);
  const bars = grid.slice(0, -1).map((start, i) => describe(start, grid[i + 1], timbre, chroma));
  standardise(bars);
  const borders = [0, ...noveltyPeaks(bars), bars.length];
  const means = borders.slice(0, -1).map((from, i) => meanRow(bars, from, borders[i + 1]));
  const labels: string[] = [];
  const exemplars: Float64Array[] = [];
  for (const row of means) {
    let best = -1;
    for (let e = 0; e < exemplars.length; e++) {
      const value = cosine(exemplars[e], row);
      if (value > alike && (best < 0 || value > cosine(exemplars[best], row))) best = e;
    }
    if (best < 0) best = exemplars.push(row) - 1;
    labels.push(sectionName(best));
  }
  return labels.map((label, i) => ({
    startSeconds: grid[borders[i]],
    endSeconds: grid[borders[i + 1]],
    label,
  }));
}

/** `A` .. `Z`, then `A2` .. `Z2` and so on. */
function sectionName(index: number): string {
  const letter = String.fromCharCode(65 + (index % 26));
  return index < 26 ? letter : `${letter}${Math.floor(index / 26) + 1}`;
}

function barGrid(downbeats: readonly number[], duration: number): number[] {
  const inside = downbeats.filter((t) => t > 0.5 && t < duration - 0.5);
  if (inside.length >= 8) return [0, ...inside, duration];
  const count = Math.max(1, Math.round(duration / fallbackBarSeconds));
  return Array.from({ length: count + 1 }, (_, i) => (i * duration) / count);
}

function describe(from: number, to: number, timbre: Timbre, chroma: Chroma): Float64Array {
  const out = new Float64Array(size);
  average(timbre.values, timbreSize, timbreSize, timbre.frames, from, to, out, 0);
  average(chroma.values, chromaSize, 12, chroma.frames, from, to, out, timbreSize);
  let norm = 1e-9;
  for (let i = timbreSize; i < size; i++) norm += out[i] * out[i];
  for (let i = timbreSize; i < size; i++) out[i] /= Math.sqrt(norm);
  return out;
}

function average(
  values: Float32Array,
  stride: number,
  count: number,
  frames: number,
  from: number,
  to: number,
  out: Float64Array,
  at: number,
): void {
  const first = Math.min(frames - 1, Math.max(0, Math.round(from * timbreRateHz)));
  const last = Math.min(frames, Math.max(first + 1, Math.round(to * timbreRateHz)));
  for (let f = Math.max(0, first); f < last; f++) {
    for (let i = 0; i < count; i++) out[at + i] += values[f * stride + i] / (last - first);
  }
}

/** Timbre becomes deviations from the recording's mean in units of its spread; chroma loses its mean. */
function standardise(rows: readonly Float64Array[]): void {
  for (let i = 0; i < size; i++) {
    let mean = 0;
    for (const row of rows) mean += row[i] / rows.length;
    let variance = 0;
    for (const row of rows) variance += (row[i] - mean) ** 2 / rows.length;
    const scale = i < timbreSize ? 1 / (Math.sqrt(variance) + 0.05) / 4 : chromaWeight;
    for (const row of rows) row[i] = (row[i] - mean) * scale;
  }
}

function noveltyPeaks(bars: readonly Float64Array[]): number[] {
  const n = bars.length;
  const novelty = new Float64Array(n);
  for (let i = 2; i < n - 1; i++) {
    const reach = Math.min(kernelBars, i, n - i);
    let [sum, weight] = [0, 0];
    for (let a = -reach; a < reach; a++) {
      for (let b = a + 1; b < reach; b++) {
        const taper = Math.exp(-((a + 0.5) ** 2 + (b + 0.5) ** 2) / (0.5 * kernelBars ** 2));
        const sign = a < 0 === b < 0 ? 1 : -1;
        sum += sign * taper * cosine(bars[i + a], bars[i + b]);
        weight += taper;
      }
    }
    novelty[i] = weight > 0 ? (sum / weight) * Math.min(1, reach / shortestBars) : 0;
  }
  const candidates = [...novelty.keys()]
    .filter((i) => novelty[i] > 0.12 && novelty[i] >= novelty[i - 1] && novelty[i] >= (novelty[i + 1] ?? 0))
    .sort((a, b) => novelty[b] - novelty[a]);
  const kept: number[] = [];
  for (const i of candidates) {
    if (kept.every((k) => Math.abs(k - i) >= shortestBars) && i >= 2 && n - i >= 2) kept.push(i);
  }
  return kept.sort((a, b) => a - b);
}

function meanRow(rows: readonly Float64Array[], from: number, to: number): Float64Array {
  const out = new Float64Array(size);
  for (let r = from; r < to; r++) for (let i = 0; i < size; i++) out[i] += rows[r][i] / (to - from);
  return out;
}

function cosine(a: Float64Array, b: Float64Array): number {
  let [ab, aa, bb] = [0, 1e-12, 1e-12];
  for (let i = 0; i < a.length; i++) {
    ab += a[i] * b[i];
    aa += a[i] * a[i];
    bb += b[i] * b[i];
  }
  return ab / Math.sqrt(aa * bb);
}
