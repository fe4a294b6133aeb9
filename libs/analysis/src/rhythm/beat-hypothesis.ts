import type { Chroma } from '../tonal/chroma.js';
import { chromaRateHz, chromaSize } from '../tonal/chroma.js';
import { beatPath, beatStrength, periodAt, periodCurve } from './beat-path.js';
import type { Novelty } from './novelty.js';
import { onsetRateHz } from './onset-strength.js';
import type { Periodicity } from './periodicity.js';
import { atLag, candidatePeriods } from './periodicity.js';

/** One way to hear the beat: frames of the beats, the median period in frames, and what speaks for it. */
export type BeatHypothesis = Readonly<{
  beats: Float64Array;
  periodFrames: number;
  features: Float64Array;
}>;

/** Phases tried beside the path of strongest novelty, shares of a period. */
const shifts = [0, 1 / 2, 1 / 4, 3 / 4, 1 / 3, 2 / 3];

/** Values of {@link BeatHypothesis.features}. */
export const hypothesisFeatures = 69;

/**
 * Lists ways to hear the beat: for each candidate period the path of strongest novelty, and the same in other phases.
 */
export function beatHypotheses(novelty: Novelty, periodicity: Periodicity, chroma: Chroma): BeatHypothesis[] {
  const strength = beatStrength(novelty);
  const out: BeatHypothesis[] = [];
  for (const period of candidatePeriods(periodicity)) {
    const curve = periodCurve(periodicity, period);
    const local = new Float64Array(novelty.frames);
    for (let i = 0; i < local.length; i++) local[i] = periodAt(curve, periodicity.centres, i);
    const onBeat = placeBeats(beatPath(strength, local), strength, local);
    if (onBeat.length < 4) continue;
    const found = medianInterval(onBeat);
    if (out.some((other) => Math.abs(Math.log(other.periodFrames / found)) < 0.025)) continue;
    for (const shift of shifts) {
      const beats = shift === 0 ? onBeat : shifted(onBeat, shift, strength, local);
      const periodFrames = medianInterval(beats);
      out.push({
        beats,
        periodFrames,
        features: describe(beats, periodFrames, novelty, periodicity, chroma),
      });
    }
  }
  return out;
}

/** Median distance of neighbouring beats, frames. */
export function medianInterval(beats: Float64Array): number {
  const intervals = new Float64Array(Math.max(0, beats.length - 1));
  for (let i = 0; i < intervals.length; i++) intervals[i] = beats[i + 1] - beats[i];
  intervals.sort();
  return intervals[intervals.length >> 1] ?? 0;
}

/**
 * Gives beats a place between frames: the centre of the novelty near each, then a straight line fitted over the
 * neighbouring beats, weighted by their strength, so that a weak or early onset does not move its beat.
 */
function placeBeats(path: Int32Array, strength: Float32Array, local: Float64Array): Float64Array {
  const n = path.length;
  const fine = new Float64Array(n);
  const weight = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const at = path[i];
    let peak = at;
    for (let j = Math.max(1, at - 2); j <= Math.min(strength.length - 2, at + 2); j++) {
      if (strength[j] > strength[peak]) peak = j;
    }
    const [a, b, c] = [strength[peak - 1] ?? 0, strength[peak] ?? 0, strength[peak + 1] ?? 0];
    const curve = a - 2 * b + c;
    fine[i] = b > 0 && curve < 0 ? peak + Math.max(-0.5, Math.min(0.5, (0.5 * (a - c)) / curve)) : at;
    weight[i] = 0.02 + Math.min(2, b);
  }
  const out = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    let [sw, sx, sy, sxx, sxy] = [0, 0, 0, 0, 0];
    for (let j = Math.max(0, i - 8); j <= Math.min(n - 1, i + 8); j++) {
      const x = j - i;
      const expected = path[i] + x * local[path[i]];
      const w = (weight[j] * Math.exp(-((x / 4) ** 2))) / (1 + ((fine[j] - expected) / 4) ** 2);
      sw += w;
      sx += w * x;
      sy += w * fine[j];
      sxx += w * x * x;
      sxy += w * x * fine[j];
    }
    const spread = sw * sxx - sx * sx;
    const slope = spread > 1e-9 ? (sw * sxy - sx * sy) / spread : 0;
    out[i] = (sy - slope * sx) / sw;
  }
  return out;
}

function shifted(
  beats: Float64Array,
  shift: number,
  strength: Float32Array,
  local: Float64Array,
): Float64Array {
  const n = beats.length;
  const path: number[] = [];
  const before = beats[0] - (1 - shift) * local[0];
  if (before >= 0) path.push(before);
  for (let i = 0; i + 1 < n; i++) path.push(beats[i] + shift * (beats[i + 1] - beats[i]));
  const after = beats[n - 1] + shift * local[local.length - 1];
  if (after < strength.length) path.push(after);
  return placeBeats(Int32Array.from(path, Math.round), strength, local);
}

const positions = [[0], [1 / 2], [1 / 3, 2 / 3], [1 / 4, 3 / 4]];

function describe(
  beats: Float64Array,
  period: number,
  novelty: Novelty,
  periodicity: Periodicity,
  chroma: Chroma,
): Float64Array {
  const series = [...novelty.bands, novelty.total];
  const features: number[] = [];
  const n = beats.length;
  const onBeats: Float64Array[] = [];
  const offBeats: Float64Array[] = [];
  for (const values of series) {
    let mean = 1e-3;
    for (let i = 0; i < values.length; i++) mean += values[i] / values.length;
    const onBeat = new Float64Array(n);
    const offBeat = new Float64Array(n);
    onBeats.push(onBeat);
    offBeats.push(offBeat);
    for (const group of positions) {
      let sum = 0;
      for (let i = 0; i + 1 < n; i++) {
        for (const f of group) {
          const value = near(values, beats[i] + f * (beats[i + 1] - beats[i]));
          sum += value / group.length;
          if (f === 0) onBeat[i] = value;
          if (f === 1 / 2) offBeat[i] = value;
        }
      }
      features.push(Math.log((sum / (n - 1) + 0.1 * mean) / mean));
    }
    features.push(phaseContrast(onBeat, n - 1, 2), phaseContrast(onBeat, n - 1, 3));
  }
  features.push(...backbeat(onBeats, offBeats, n - 1));
  const changeAtBeat = chromaChange(chroma, beats, 0);
  const changeBetween = chromaChange(chroma, beats, 0.5);
  features.push(
    Math.log((average(changeAtBeat) + 0.01) / (average(changeBetween) + 0.01)),
    average(changeAtBeat),
    phaseContrast(changeAtBeat, changeAtBeat.length, 2),
    phaseContrast(changeAtBeat, changeAtBeat.length, 3),
    phaseContrast(changeAtBeat, changeAtBeat.length, 4),
    phaseContrast(changeAtBeat, changeAtBeat.length, 8),
  );
  const bassChange = chromaChange(chroma, beats, 0, 12);
  for (const cycle of [2, 4, 8]) features.push(phaseContrast(bassChange, bassChange.length, cycle));
  features.push(...startPhase(beats, period, novelty.total));
  for (const factor of [1 / 4, 1 / 3, 1 / 2, 1, 1.5, 2, 3, 4, 6, 8]) {
    features.push(atLag(periodicity.mean, factor * period));
  }
  const bpm = (60 * onsetRateHz) / period;
  for (const centre of tempoCentres) features.push(Math.exp(-((Math.log2(bpm / centre) / 0.25) ** 2)));
  return Float64Array.from(features);
}

/** Centres of the tempo features, BPM: a third of an octave apart. */
const tempoCentres = Array.from({ length: 10 }, (_, i) => 45 * 2 ** (i * 0.3));

/** Strongest value within 20 ms of a place between frames. */
function near(values: Float32Array, frame: number): number {
  const centre = Math.round(frame);
  let top = 0;
  for (let i = Math.max(0, centre - 2); i <= Math.min(values.length - 1, centre + 2); i++) {
    if (values[i] > top) top = values[i]!;
  }
  return top;
}

/**
 * Where the first strong onset falls between the beats, as music tends to start on one: cosine of its phase (1 on a beat,
 * -1 half-way) and of twice its phase.
 */
function startPhase(beats: Float64Array, period: number, strength: Float32Array): number[] {
  let loudest = 0;
  for (const value of strength) if (value > loudest) loudest = value;
  let first = strength.findIndex((value) => value > 0.25 * loudest);
  while (first + 1 < strength.length && strength[first + 1] > strength[first]) first++;
  let nearest = beats[0];
  for (const beat of beats) if (Math.abs(beat - first) < Math.abs(nearest - first)) nearest = beat;
  const angle = (2 * Math.PI * (first - nearest)) / period;
  return [Math.cos(angle), Math.cos(2 * angle)];
}

/** How much the strongest of `cycle` phases stands out: log of its mean over the mean of all. */
function phaseContrast(values: Float64Array, n: number, cycle: number): number {
  const sums = new Float64Array(cycle);
  let total = 1e-6;
  for (let i = 0; i < n; i++) {
    sums[i % cycle] += values[i];
    total += values[i];
  }
  return Math.log((Math.max(...sums) * cycle) / total + 0.05);
}

/**
 * How much the low range and the others take turns - on neighbouring beats, on beat and off-beat, on every other beat -
 * as kick and snare do on the beat: about -1 (together) to 1 (in turns).
 */
function backbeat(onBeats: readonly Float64Array[], offBeats: readonly Float64Array[], n: number): number[] {
  const out: number[] = [];
  const beatTurns = onBeats.map((v) => contrast(v, v, 0, 1, 2, n));
  const halfTurns = onBeats.map((v, r) => contrast(v, offBeats[r], 0, 0, 1, n));
  for (const turns of [beatTurns, halfTurns]) {
    out.push(-turns[0] * turns[2], -turns[0] * turns[3], -turns[1] * turns[3]);
  }
  for (const range of [2, 3]) {
    const phases = [0, 1].map(
      (first) =>
        -contrast(onBeats[0], onBeats[0], first, first + 2, 4, n) *
        contrast(onBeats[range], onBeats[range], first, first + 2, 4, n),
    );
    out.push(Math.max(...phases));
  }
  return out;
}

/** (a - b) / (a + b) for the sums of `x` from `first` and of `y` from `second`, every `cycle` beats: -1..1. */
function contrast(
  x: Float64Array,
  y: Float64Array,
  first: number,
  second: number,
  cycle: number,
  n: number,
): number {
  let [a, b] = [0.05 * n, 0.05 * n];
  for (let i = first; i < n; i += cycle) a += x[i];
  for (let i = second; i < n; i += cycle) b += y[i];
  return (a - b) / (a + b);
}

function average(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return values.length > 0 ? sum / values.length : 0;
}

/**
 * Change of harmony at each beat: 1 - cosine of the mean chroma after it and before it, 0..1.
 *
 * @param shift moves the beats by this share of the interval
 */
export function chromaChange(chroma: Chroma, beats: Float64Array, shift: number, offset = 0): Float64Array {
  const rows: Float64Array[] = [];
  for (let i = 0; i + 1 < beats.length; i++) {
    const gap = beats[i + 1] - beats[i];
    rows.push(meanChroma(chroma, beats[i] + shift * gap, beats[i + 1] + shift * gap, offset));
  }
  const out = new Float64Array(Math.max(0, beats.length - 1));
  for (let i = 1; i < out.length; i++) out[i] = 1 - cosine(rows[i - 1], rows[i]);
  return out;
}

function meanChroma(chroma: Chroma, from: number, to: number, offset: number): Float64Array {
  const scale = chromaRateHz / onsetRateHz;
  const first = Math.max(0, Math.round(from * scale));
  const last = Math.min(chroma.frames - 1, Math.max(first, Math.round(to * scale) - 1));
  const out = new Float64Array(12);
  for (let i = first; i <= last; i++) {
    for (let p = 0; p < 12; p++) out[p] += chroma.values[i * chromaSize + offset + p];
  }
  return out;
}

function cosine(a: Float64Array, b: Float64Array): number {
  let [ab, aa, bb] = [0, 1e-9, 1e-9];
  for (let i = 0; i < a.length; i++) {
    ab += a[i] * b[i];
    aa += a[i] * a[i];
    bb += b[i] * b[i];
  }
  return ab / Math.sqrt(aa * bb);
}
