import { ShapeError } from '@earmark/kernel';
import { GrowingFloats } from '../spectrum/frame-stream.js';
import { KWeighting } from './k-weighting.js';
import { TruePeakMeter } from './true-peak.js';

/**
 * Loudness of a programme: integrated (LUFS), range (LU) and true peak (dBTP). Silence has no loudness: its values are
 * the floor of the scale, -70 LUFS and -120 dBTP.
 */
export type Loudness = Readonly<{ integratedLufs: number; rangeLu: number; truePeakDbtp: number }>;

/** Lowest loudness given, the absolute gate of the standard. */
export const loudnessFloorLufs = -70;
const peakFloorDbtp = -120;
const stepSeconds = 0.1;
const blockSteps = 4;
const shortTermSteps = 30;

/**
 * Measures loudness from a stream of one or two channels at their own rate. Memory: 4 bytes per 100 ms.
 *
 * @see ITU-R BS.1770-5 (integrated, true peak); EBU Tech 3341 and 3342 (range)
 */
export class LoudnessMeter {
  private readonly weighting: readonly KWeighting[];
  private readonly peaks: readonly TruePeakMeter[];
  private readonly steps = new GrowingFloats();
  private readonly row = new Float32Array(1);
  private sum = 0;
  private position = 0;
  private stepEnd: number;
  private stepStart = 0;

  constructor(
    private readonly sampleRateHz: number,
    channels: number,
  ) {
    this.weighting = Array.from({ length: channels }, () => new KWeighting(sampleRateHz));
    this.peaks = Array.from({ length: channels }, () => new TruePeakMeter(sampleRateHz));
    this.stepEnd = Math.round(stepSeconds * sampleRateHz);
  }

  /**
   * Adds a block: one array a channel, all of one length.
   *
   * @throws {ShapeError} if the number of channels is not the one given at the start
   */
  push(channels: readonly Float32Array[]): void {
    if (channels.length !== this.weighting.length) {
      throw new ShapeError('channels', `${this.weighting.length} channels`, channels.length);
    }
    for (let c = 0; c < channels.length; c++) this.peaks[c].push(channels[c]);
    const length = channels[0]?.length ?? 0;
    let at = 0;
    while (at < length) {
      const n = Math.min(length - at, this.stepEnd - this.position);
      for (let c = 0; c < channels.length; c++) this.sum += this.weighting[c].energy(channels[c], at, at + n);
      at += n;
      this.position += n;
      if (this.position === this.stepEnd) {
        this.row[0] = this.sum / (this.stepEnd - this.stepStart);
        this.steps.append(this.row);
        this.sum = 0;
        this.stepStart = this.stepEnd;
        this.stepEnd = Math.round((this.steps.length + 1) * stepSeconds * this.sampleRateHz);
      }
    }
  }

  /** Ends the stream. */
  finish(): Loudness {
    for (const peak of this.peaks) peak.flush();
    const peak = Math.max(0, ...this.peaks.map((p) => p.peak));
    const steps = this.steps.view();
    return {
      integratedLufs: integrated(movingEnergy(steps, Math.min(blockSteps, steps.length))),
      rangeLu: range(movingEnergy(steps, shortTermSteps)),
      truePeakDbtp: peak > 0 ? Math.max(peakFloorDbtp, 20 * Math.log10(peak)) : peakFloorDbtp,
    };
  }
}

/** Loudness of a mean square of K-weighted channels, LUFS. */
export function energyToLufs(energy: number): number {
  return energy > 0 ? -0.691 + 10 * Math.log10(energy) : -Infinity;
}

function lufsToEnergy(lufs: number): number {
  return 10 ** ((lufs + 0.691) / 10);
}

function movingEnergy(steps: Float32Array, width: number): Float64Array {
  const out = new Float64Array(width > 0 ? Math.max(0, steps.length - width + 1) : 0);
  for (let i = 0; i < out.length; i++) {
    let sum = 0;
    for (let k = 0; k < width; k++) sum += steps[i + k];
    out[i] = sum / width;
  }
  return out;
}

function gatedMean(blocks: Float64Array, gate: number): number {
  let [sum, count] = [0, 0];
  for (const block of blocks) {
    if (block > gate) {
      sum += block;
      count++;
    }
  }
  return count > 0 ? sum / count : 0;
}

function integrated(blocks: Float64Array): number {
  const ungated = gatedMean(blocks, lufsToEnergy(loudnessFloorLufs));
  if (ungated === 0) return loudnessFloorLufs;
  const gate = Math.max(lufsToEnergy(loudnessFloorLufs), ungated * 0.1);
  return Math.max(loudnessFloorLufs, energyToLufs(gatedMean(blocks, gate)));
}

function range(blocks: Float64Array): number {
  const ungated = gatedMean(blocks, lufsToEnergy(loudnessFloorLufs));
  const gate = Math.max(lufsToEnergy(loudnessFloorLufs), ungated * 0.01);
  const kept = blocks.filter((block) => block >= gate).sort();
  if (ungated === 0 || kept.length < 2) return 0;
  const at = (share: number) => energyToLufs(kept[Math.round((kept.length - 1) * share)]);
  return at(0.95) - at(0.1);
}
