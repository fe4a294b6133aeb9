import { LogMel } from '@earmark/dsp';
import { ShapeError } from '@earmark/kernel';
import { borderSize, describeBorder } from './border.js';
import { continuitySize, describeContinuity } from './continuity.js';
import { PitchContent, chromaSize, pitchSize } from './pitch-content.js';
import { describePulse, pulseSize } from './pulse.js';
import { ScaleTransform, envelopeRateHz, rhythmSize } from './scale-transform.js';
import type { Side } from './side.js';
import { describeBands, type MelFrames } from './spectral-shape.js';

/** Sample rate of the windows, Hz. */
export const transitionRateHz = 16_000;
/** Length of a full window; shorter ones are accepted from {@link shortestWindowMs}. */
export const windowMs = 8_000;
/** Shortest window that is described. */
export const shortestWindowMs = 1_000;

const bands = 64;
const hop = 256;
const rhythmBands = 8;
const rmsWanted = 0.1;
const seamSeconds = 2;
const nearSeconds = 0.5;

const sizes = {
  timbre: 2 * bands,
  dynamics: 3 * bands,
  harmony: 4 * chromaSize + pitchSize,
  rhythm: (rhythmBands + 1) * rhythmSize,
  seam: 2 * bands + chromaSize + pitchSize,
  border: borderSize,
  continuity: continuitySize,
  key: chromaSize,
  pulse: pulseSize,
} as const;

/** A group of features. `border` is not part of a score: decisions read it. */
export type FeatureGroup = keyof typeof sizes;

let end = 0;
const place = (size: number): Readonly<{ start: number; size: number }> => {
  end += size;
  return { start: end - size, size };
};

/** Where each group of features lies in a row; the names are those of explanations. */
export const featureLayout: Readonly<Record<FeatureGroup, Readonly<{ start: number; size: number }>>> = {
  timbre: place(sizes.timbre),
  dynamics: place(sizes.dynamics),
  harmony: place(sizes.harmony),
  rhythm: place(sizes.rhythm),
  seam: place(sizes.seam),
  border: place(sizes.border),
  continuity: place(sizes.continuity),
  key: place(sizes.key),
  pulse: place(sizes.pulse),
};

/** Values of a feature row. */
export const featureSize: number = end;

/**
 * Describes windows of music next to a seam, without what a player can remove: the level is taken out, rhythm is described
 * whatever its tempo. Timbre (mean and spread of log-mel bands), dynamics (how much
 * bands change within 16, 64 and 256 ms), harmony (chroma of the window, its change, of the bass and of the seam, and the
 * relief of the semitones), rhythm (scale transforms of the onset strength in eight ranges and of all), seam (bands and
 * semitones of the last 2 s and 0.5 s), continuity (whether the sound itself goes on), key (chroma alone) and pulse (where
 * onsets come back, comparable within the change of tempo that a player makes). The border values alone keep the level.
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
    logOffset: 1e-2,
  });
  private readonly pitch = new PitchContent();
  private readonly rhythm = new ScaleTransform();
  private scaled = new Float32Array((windowMs * transitionRateHz) / 1000);

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
    const part = (group: FeatureGroup): Float32Array => {
      const { start, size } = featureLayout[group];
      return out.subarray(start, start + size);
    };
    const level = rms(samples);
    const scale = level > 1e-5 ? rmsWanted / level : 1;
    if (this.scaled.length < samples.length) this.scaled = new Float32Array(samples.length);
    const scaled = this.scaled.subarray(0, samples.length);
    for (let i = 0; i < samples.length; i++) scaled[i] = samples[i] * scale;
    const frames = this.frames(scaled);
    const near = (seconds: number): readonly [number, number] => {
      const length = Math.min(frames.count, Math.round((seconds * transitionRateHz) / hop));
      return side === 'tail' ? [frames.count - length, frames.count] : [0, length];
    };
    describeBands(frames, {
      timbre: part('timbre'),
      dynamics: part('dynamics'),
      seam: part('seam'),
      seamFrames: near(seamSeconds),
      nearFrames: near(nearSeconds),
    });
    this.onsets(frames, part('rhythm'), part('pulse'));
    this.pitch.describe(
      scaled,
      side,
      { seamSeconds, nearSeconds },
      part('harmony'),
      part('seam').subarray(2 * bands),
    );
    part('key').set(part('harmony').subarray(0, chromaSize));
    describeBorder(samples, side, part('border'));
    describeContinuity(scaled, side, part('continuity'));
    return out;
  }

  private frames(samples: Float32Array): MelFrames {
    const first = this.mel.process(samples).slice();
    const rest = this.mel.flush();
    const levels = new Float32Array(first.length + rest.length);
    levels.set(first);
    levels.set(rest, first.length);
    return { levels, bands, count: levels.length / bands };
  }

  private onsets({ levels, count }: MelFrames, out: Float32Array, pulse: Float32Array): void {
    const per = bands / rhythmBands;
    const total = new Float64Array(count - 1);
    const range = new Float64Array(count - 1);
    for (let r = 0; r < rhythmBands; r++) {
      for (let f = 1; f < count; f++) {
        let sum = 0;
        for (let b = r * per; b < (r + 1) * per; b++) {
          const rise = levels[f * bands + b] - levels[(f - 1) * bands + b];
          if (rise > 0) sum += rise;
        }
        range[f - 1] = sum;
        total[f - 1] += sum;
      }
      this.rhythm.describe(range, out, r * rhythmSize);
    }
    this.rhythm.describe(total, out, rhythmBands * rhythmSize);
    describePulse(total, envelopeRateHz, pulse);
  }
}

function rms(samples: Float32Array): number {
  let energy = 0;
  for (let i = 0; i < samples.length; i++) energy += samples[i] * samples[i];
  return Math.sqrt(energy / samples.length);
}
