import { ShapeError } from '@earmark/kernel';
import { PowerSpectrum, hannPeriodic } from '@earmark/analysis';
import { LogMel } from '@earmark/dsp';
import { borderSize, describeBorder } from './border.js';
import { ScaleTransform, rhythmSize } from './scale-transform.js';

/** Sample rate of the windows, Hz. */
export const transitionRateHz = 16_000;
/** Length of a full window; shorter ones are accepted from {@link shortestWindowMs}. */
export const windowMs = 8_000;
/** Shortest window that is described. */
export const shortestWindowMs = 1_000;

/** Which end of the window touches the seam: the end of a tail, the start of a head. */
export type Side = 'tail' | 'head';

const bands = 48;
const hop = 256;
const rhythmBands = 6;
const seamSeconds = 2;
const chromaFft = 4096;
const chromaHop = 2048;

/** Where each kind of feature lies in a row; the names are those of explanations. */
export const featureLayout = {
  timbre: { start: 0, size: 3 * bands },
  dynamics: { start: 3 * bands, size: bands },
  harmony: { start: 4 * bands, size: 36 },
  rhythm: { start: 4 * bands + 36, size: (rhythmBands + 1) * rhythmSize },
  border: { start: 4 * bands + 36 + (rhythmBands + 1) * rhythmSize, size: borderSize },
} as const;

/** A group of features. `border` is not part of a score: decisions read it. */
export type FeatureGroup = keyof typeof featureLayout;

/** Values of a feature row. */
export const featureSize = featureLayout.border.start + featureLayout.border.size;

/**
 * Describes windows of music next to a seam, without what a player can remove: level is taken out, rhythm is described
 * whatever its tempo. Timbre (mean, spread and seam of log-mel bands), dynamics (their mean change), harmony (chroma of
 * the window, of the seam and of the bass) and rhythm (scale transforms of the onset strength in six ranges and of all).
 * The border values alone keep the level.
 */
export class WindowFeatures {
  private readonly mel = new LogMel({
    sampleRateHz: transitionRateHz,
    fftSize: 1024,
    windowSamples: 1024,
    hopSamples: hop,
    melBands: bands,
    fMinHz: 40,
    fMaxHz: 7_600,
    logOffset: 1e-3,
  });
  private readonly fft = new PowerSpectrum(chromaFft);
  private readonly window = hannPeriodic(chromaFft);
  private readonly frame = new Float32Array(chromaFft);
  private readonly power = new Float32Array(chromaFft / 2 + 1);
  private readonly rhythm = new ScaleTransform();

  /**
   * @param samples mono at {@link transitionRateHz}, -1..1, at least {@link shortestWindowMs} long
   * @returns {@link featureSize} values, the layout of {@link featureLayout}
   * @throws {ShapeError} if the window is too short
   */
  describe(samples: Float32Array, side: Side): Float32Array {
    if (samples.length < (shortestWindowMs * transitionRateHz) / 1000) {
      throw new ShapeError('samples', `at least ${shortestWindowMs} ms at 16 kHz`, samples.length);
    }
    const out = new Float32Array(featureSize);
    const first = this.mel.process(samples).slice();
    const rest = this.mel.flush();
    const levels = new Float32Array(first.length + rest.length);
    levels.set(first);
    levels.set(rest, first.length);
    const frames = levels.length / bands;
    this.spectral(levels, frames, side, out);
    this.onsets(levels, frames, out);
    this.harmony(samples, side, out);
    describeBorder(samples, side, out.subarray(featureLayout.border.start));
    return out;
  }

  private spectral(levels: Float32Array, frames: number, side: Side, out: Float32Array): void {
    const seam = Math.min(frames, Math.round((seamSeconds * transitionRateHz) / hop));
    const seamFrom = side === 'tail' ? frames - seam : 0;
    let overall = 0;
    for (let b = 0; b < bands; b++) {
      let [mean, square, near, change] = [0, 0, 0, 0];
      for (let f = 0; f < frames; f++) {
        const value = levels[f * bands + b];
        mean += value / frames;
        square += (value * value) / frames;
        if (f >= seamFrom && f < seamFrom + seam) near += value / seam;
        if (f > 0) change += Math.abs(value - levels[(f - 1) * bands + b]) / (frames - 1);
      }
      overall += mean / bands;
      out[b] = mean;
      out[bands + b] = Math.sqrt(Math.max(0, square - mean * mean));
      out[2 * bands + b] = near - mean;
      out[featureLayout.dynamics.start + b] = change;
    }
    for (let b = 0; b < bands; b++) out[b] -= overall;
  }

  private onsets(levels: Float32Array, frames: number, out: Float32Array): void {
    const per = bands / rhythmBands;
    const total = new Float64Array(frames - 1);
    const range = new Float64Array(frames - 1);
    for (let r = 0; r < rhythmBands; r++) {
      for (let f = 1; f < frames; f++) {
        let sum = 0;
        for (let b = r * per; b < (r + 1) * per; b++) {
          const rise = levels[f * bands + b] - levels[(f - 1) * bands + b];
          if (rise > 0) sum += rise;
        }
        range[f - 1] = sum;
        total[f - 1] += sum;
      }
      this.rhythm.describe(range, out, featureLayout.rhythm.start + r * rhythmSize);
    }
    this.rhythm.describe(total, out, featureLayout.rhythm.start + rhythmBands * rhythmSize);
  }

  private harmony(samples: Float32Array, side: Side, out: Float32Array): void {
    const { frame, power, window } = this;
    const at = featureLayout.harmony.start;
    const seamSamples = seamSeconds * transitionRateHz;
    const seamFrom = side === 'tail' ? samples.length - seamSamples : 0;
    for (let start = 0; start + chromaFft <= samples.length; start += chromaHop) {
      for (let i = 0; i < chromaFft; i++) frame[i] = samples[start + i] * window[i];
      this.fft.power(frame, power);
      const centre = start + chromaFft / 2;
      const near = centre >= seamFrom && centre < seamFrom + seamSamples;
      for (let k = 0; k < chromaBins.length; k++) {
        const { bin, pitchClass, weight, bass } = chromaBins[k];
        const value = weight * Math.sqrt(power[bin]);
        out[at + pitchClass] += value;
        if (near) out[at + 12 + pitchClass] += value;
        if (bass) out[at + 24 + pitchClass] += value;
      }
    }
    for (let part = 0; part < 3; part++) {
      const chroma = out.subarray(at + 12 * part, at + 12 * (part + 1));
      let norm = 1e-9;
      for (const value of chroma) norm += value * value;
      for (let p = 0; p < 12; p++) chroma[p] /= Math.sqrt(norm);
    }
  }
}

/** Bins of the chroma transform between 60 Hz and 2.2 kHz with their pitch class and closeness to its centre. */
const chromaBins = Array.from({ length: chromaFft / 2 }, (_, bin) => {
  const hz = (bin * transitionRateHz) / chromaFft;
  const note = 69 + 12 * Math.log2(Math.max(hz, 1) / 440);
  const off = note - Math.round(note);
  return {
    bin,
    hz,
    pitchClass: ((Math.round(note) % 12) + 12) % 12,
    weight: Math.exp(-((off / 0.25) ** 2)),
    bass: hz < 260,
  };
}).filter(({ hz }) => hz > 60 && hz < 2_200);
