import { LogMel } from '@earmark/dsp';
import { transitionRateHz } from './window-features.js';

/**
 * How a recording starts or ends: level of the outermost 60 ms in dBFS, and the spectrum of the outermost 250 ms (log mel,
 * its mean taken out).
 */
export type Edge = Readonly<{ levelDb: number; spectrum: readonly number[] }>;

/** Both ends of a recording. */
export type Edges = Readonly<{ start: Edge; end: Edge }>;

const bands = 24;
const edgeMs = 250;
const levelMs = 60;
const floorDb = -100;
/** Both sides must sound this loud: a fade or a pause is a border, not a seam inside one performance. */
const soundingDb = -45;
const closeDb = 6;
const alike = 0.9;

/** Describes an end of a recording. @param samples mono at 16 kHz, the outermost 250 ms (or less) */
export function describeEdge(samples: Float32Array, side: 'start' | 'end'): Edge {
  const near = Math.min(samples.length, Math.round((levelMs * transitionRateHz) / 1000));
  const outermost = side === 'start' ? samples.subarray(0, near) : samples.subarray(samples.length - near);
  let energy = 0;
  for (const value of outermost) energy += value * value;
  const levelDb = near > 0 && energy > 0 ? Math.max(floorDb, 10 * Math.log10(energy / near)) : floorDb;
  const mel = new LogMel({
    sampleRateHz: transitionRateHz,
    fftSize: 512,
    windowSamples: 512,
    hopSamples: 256,
    melBands: bands,
    fMinHz: 60,
    fMaxHz: 7_600,
    logOffset: 1e-6,
  });
  const spectrum = new Float64Array(bands);
  let rows = 0;
  for (const levels of [mel.process(samples).slice(), mel.flush().slice()]) {
    for (let i = 0; i < levels.length; i++) spectrum[i % bands] += levels[i];
    rows += levels.length / bands;
  }
  let mean = 0;
  for (const value of spectrum) mean += value / bands;
  return {
    levelDb: Math.round(levelDb * 10) / 10,
    spectrum: Array.from(spectrum, (value) => Math.round((100 * (value - mean)) / Math.max(1, rows)) / 100),
  };
}

/** Longest piece that {@link describeEdge} looks at, samples. */
export const edgeSamples = Math.round((edgeMs * transitionRateHz) / 1000);

/**
 * Tells whether the second recording goes on where the first one stops, as on an album without pauses: both sound at the
 * border, equally loud, with the same spectrum.
 */
export function isContinuous(from: Edge, to: Edge): boolean {
  if (Math.min(from.levelDb, to.levelDb) < soundingDb) return false;
  if (Math.abs(from.levelDb - to.levelDb) > closeDb) return false;
  let [ab, aa, bb] = [0, 1e-9, 1e-9];
  for (let i = 0; i < from.spectrum.length; i++) {
    const [a, b] = [from.spectrum[i], to.spectrum[i] ?? 0];
    ab += a * b;
    aa += a * a;
    bb += b * b;
  }
  return ab / Math.sqrt(aa * bb) > alike;
}
