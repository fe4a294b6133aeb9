import { measureFrame } from './meyda-features.js';
import { OnsetCounter } from './onset-counter.js';
import { isSilent, silenceRmsDb, type SegmentDescriptors } from './tagger-model.js';

type Block = {
  samples: number;
  energy: number;
  quiet: number;
  centroid: number;
  weight: number;
  onsets: number;
  frames: number;
  sines: number;
};

const newBlock = (): Block => ({
  samples: 0,
  energy: 0,
  quiet: 0,
  centroid: 0,
  weight: 0,
  onsets: 0,
  frames: 0,
  sines: 0,
});

/** Rate of the Meyda frames. */
const framesPerSecond = 2;
const frameSamples = 1024;
/** Moments a second that are silent or not. */
const momentsPerSecond = 10;
const silentPower = 10 ** (silenceRmsDb / 10);
/** Share of the power in one spectral line from which a frame holds nothing but a sine; quantised ones have more. */
const sinePowerShare = 0.9995;
/** Share of a segment's frames that makes it a bare tone: where a tone begins and ends, a frame is none. */
const sineShare = 0.75;

/**
 * Level and readable descriptors of a stream, segment by segment. Segments are two hops long; only sums a hop are kept.
 */
export class SegmentMeter {
  private readonly hopSamples: number;
  private readonly frameHop: number;
  private readonly momentSamples: number;
  private readonly blocks: Block[] = [];
  private readonly onsets: OnsetCounter;
  private readonly frame = new Float32Array(frameSamples);
  private total = 0;
  private momentEnergy = 0;

  /** @param hopMs from segment to segment; a segment lasts twice as long */
  constructor(
    private readonly sampleRateHz: number,
    hopMs: number,
  ) {
    this.hopSamples = Math.round((sampleRateHz * hopMs) / 1000);
    this.frameHop = Math.round(sampleRateHz / framesPerSecond);
    this.momentSamples = Math.round(sampleRateHz / momentsPerSecond);
    this.onsets = new OnsetCounter(sampleRateHz);
  }

  /** Samples taken so far. */
  get samples(): number {
    return this.total;
  }

  /** Takes the next samples, mono, -1..1. */
  push(samples: Float32Array): void {
    let taken = 0;
    while (taken < samples.length) {
      const inBlock = this.total % this.hopSamples;
      const inFrame = this.total % this.frameHop;
      const inMoment = this.total % this.momentSamples;
      const count = Math.min(
        samples.length - taken,
        this.hopSamples - inBlock,
        this.momentSamples - inMoment,
        inFrame < frameSamples ? frameSamples - inFrame : this.frameHop - inFrame,
      );
      const part = samples.subarray(taken, taken + count);
      if (inBlock === 0) this.blocks.push(newBlock());
      const block = this.blocks[this.blocks.length - 1];
      let energy = 0;
      for (let i = 0; i < count; i++) energy += part[i] * part[i];
      block.energy += energy;
      block.samples += count;
      this.momentEnergy += energy;
      if (inMoment + count === this.momentSamples) {
        if (this.momentEnergy < silentPower * this.momentSamples) block.quiet += this.momentSamples;
        this.momentEnergy = 0;
      }
      block.onsets += this.onsets.push(part);
      if (inFrame < frameSamples) {
        this.frame.set(part, inFrame);
        if (inFrame + count === frameSamples) this.#measure(block);
      }
      taken += count;
      this.total += count;
    }
  }

  /** RMS level of segment `k` in dBFS as far as it has been heard; -Infinity for digital silence. */
  rmsDb(k: number): number {
    const { samples, energy } = this.#segment(k);
    return samples === 0 ? -Infinity : 10 * Math.log10(energy / samples);
  }

  /** Whether there is silence in segment `k` as a whole or for half of it, as far as it has been heard. */
  isSilent(k: number): boolean {
    return isSilent(this.rmsDb(k), this.describe(k));
  }

  /** Descriptors of segment `k` as far as it has been heard. */
  describe(k: number): SegmentDescriptors {
    const { samples, energy, quiet, centroid, weight, onsets, frames, sines } = this.#segment(k);
    const seconds = samples / this.sampleRateHz;
    const onsetRateHz = seconds === 0 ? 0 : onsets / seconds;
    return {
      energy: round(samples === 0 ? 0 : Math.sqrt(energy / samples), 5),
      brightnessHz: Math.round(weight === 0 ? 0 : centroid / weight),
      onsetRateHz: round(onsetRateHz, 2),
      tempoFeel: tempoFeelOf(onsetRateHz),
      ...(quiet > 0 && { silentShare: round(Math.min(1, quiet / samples), 2) }),
      ...(frames > 0 && sines >= sineShare * frames && energy > 0 && { bareTone: true as const }),
    };
  }

  #measure(block: Block): void {
    const { rms, centroidHz, peakShare } = measureFrame(this.frame, this.sampleRateHz);
    block.centroid += rms * centroidHz;
    block.weight += rms;
    block.frames++;
    if (peakShare >= sinePowerShare) block.sines++;
  }

  #segment(k: number): Block {
    const sum = newBlock();
    for (const block of this.blocks.slice(k, k + 2)) {
      sum.samples += block.samples;
      sum.energy += block.energy;
      sum.quiet += block.quiet;
      sum.centroid += block.centroid;
      sum.weight += block.weight;
      sum.onsets += block.onsets;
      sum.frames += block.frames;
      sum.sines += block.sines;
    }
    return sum;
  }
}

/** How fast a number of onsets a second feels. */
export function tempoFeelOf(onsetRateHz: number): SegmentDescriptors['tempoFeel'] {
  if (onsetRateHz < 0.5) return 'still';
  if (onsetRateHz < 2) return 'slow';
  return onsetRateHz < 4 ? 'moderate' : 'fast';
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
