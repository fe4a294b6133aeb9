import { hannWindow, RealFft, type Spectrum as ComplexSpectrum } from '@earmark/dsp';
import { fingerprintConfig as config, msToFrames } from './config.js';

/**
 * Levels of a query's spectrogram, row-major [frames, {@link spectrumBins}]: 0 is -110 dB or less, a step is half a
 * decibel, 220 is a full-scale sine. Bin 0 is the configuration's first bin.
 */
export type SpectrumLevels = Uint8Array;

/** Bins of a row: those that may hold a peak. */
export const spectrumBins = config.lastBin - config.firstBin;

/** Longest query whose spectrum is kept, frames (60 s and what decoders add). */
export const mostSpectrumFrames = Math.ceil(msToFrames(62_000));

const lowestDb = -110;
const stepsPerDb = 2;

/** Power of a full-scale sine's bin to 1. */
const fullScale = (4 / config.fftSize) ** 2;
const power = new Float32Array(1);
const powerBits = new Uint32Array(power.buffer);
/** Level of every positive power by the upper half of its 32 bits: exponent and 7 bits of mantissa, exact to 0.04 dB. */
const levelOfPower = new Uint8Array(0x8000).map((_, upper) => {
  powerBits[0] = (upper << 16) | 0x8000;
  const db = 10 * Math.log10(power[0]);
  return Math.max(0, Math.min(255, Math.round((db - lowestDb) * stepsPerDb) || 0));
});

/**
 * Records the spectrum of a short recording while it is pushed; a longer one than {@link mostSpectrumFrames} has none.
 * Costs one FFT a frame, 20 kB a second.
 */
export class SpectrumRecorder {
  private readonly fft = new RealFft(config.fftSize);
  private readonly window = hannWindow(config.fftSize);
  private readonly out: ComplexSpectrum = this.fft.createSpectrum();
  private readonly frame = new Float64Array(config.fftSize);
  private readonly held = new Float32Array(config.fftSize);
  private heldSamples = 0;
  private levels = new Uint8Array(512 * spectrumBins);
  private frames = 0;

  /** @param block mono samples, -1 .. 1, any number */
  push(block: Float32Array): void {
    for (let taken = 0; taken < block.length && this.frames <= mostSpectrumFrames;) {
      const count = Math.min(block.length - taken, config.fftSize - this.heldSamples);
      this.held.set(block.subarray(taken, taken + count), this.heldSamples);
      taken += count;
      this.heldSamples += count;
      if (this.heldSamples < config.fftSize) continue;
      this.transform();
      this.held.copyWithin(0, config.hopSamples);
      this.heldSamples -= config.hopSamples;
    }
  }

  /** Hands over the spectrum of `frames` frames, or nothing when there were too many; starts anew. */
  finish(frames: number): SpectrumLevels | undefined {
    const levels =
      this.frames === frames && frames > 0 ? this.levels.slice(0, frames * spectrumBins) : undefined;
    this.frames = 0;
    this.heldSamples = 0;
    return levels;
  }

  private transform(): void {
    if ((this.frames + 1) * spectrumBins > this.levels.length) {
      const larger = new Uint8Array(this.levels.length * 2);
      larger.set(this.levels);
      this.levels = larger;
    }
    for (let i = 0; i < config.fftSize; i++) this.frame[i] = this.held[i] * this.window[i];
    this.fft.forward(this.frame, this.out);
    const { re, im } = this.out;
    const at = this.frames++ * spectrumBins;
    for (let bin = 0; bin < spectrumBins; bin++) {
      const k = bin + config.firstBin;
      power[0] = (re[k] * re[k] + im[k] * im[k]) * fullScale;
      this.levels[at + bin] = levelOfPower[powerBits[0] >>> 16];
    }
  }
}

/** Decibels of a level of {@link SpectrumLevels}. */
export function levelDb(level: number): number {
  return lowestDb + level / stepsPerDb;
}
