import { BiquadFilter, kWeighting } from '@earmark/dsp';

/** Seconds of one value of a {@link LoudnessCurve}. */
export const curveStepMs = 1_000;
const floorLufs = -70;
/** Parts this far below the mean of the loud ones are no music that a gain should follow. */
const relativeGateLu = 20;

/** Loudness of each second of a recording, LUFS of its mono mix, -70 for silence. */
export type LoudnessCurve = readonly number[];

/** Measures a {@link LoudnessCurve} from a stream of mono samples; 8 bytes a second. */
export class LoudnessCurveMeter {
  private readonly filter: BiquadFilter;
  private readonly stepSamples: number;
  private readonly curve: number[] = [];
  private scratch = new Float32Array(0);
  private sum = 0;
  private count = 0;

  constructor(sampleRateHz: number) {
    this.filter = new BiquadFilter(kWeighting(sampleRateHz));
    this.stepSamples = Math.round((sampleRateHz * curveStepMs) / 1000);
  }

  /** Takes the next samples, -1..1. */
  push(samples: Float32Array): void {
    if (this.scratch.length < samples.length) this.scratch = new Float32Array(samples.length);
    const weighted = this.filter.process(samples, this.scratch);
    for (let i = 0; i < weighted.length; i++) {
      this.sum += weighted[i] * weighted[i];
      if (++this.count === this.stepSamples) this.close();
    }
  }

  /** Ends the stream. */
  finish(): LoudnessCurve {
    if (this.count > this.stepSamples / 4) this.close();
    return this.curve;
  }

  private close(): void {
    const energy = this.sum / this.count;
    const lufs = energy > 0 ? -0.691 + 10 * Math.log10(energy) : floorLufs;
    this.curve.push(Math.max(floorLufs, Math.round(lufs * 10) / 10));
    this.sum = 0;
    this.count = 0;
  }
}

/**
 * How much louder a stretch is than the recording as a whole, LU; both are means of energy over the seconds that are no
 * pauses. 0 where nothing is known.
 */
export function localLoudnessLu(curve: LoudnessCurve, startMs: number, endMs: number): number {
  const all = wholeMean(curve);
  const from = Math.max(0, Math.floor(startMs / curveStepMs));
  const part = gatedMean(curve.slice(from, Math.max(from + 1, Math.ceil(endMs / curveStepMs))));
  return all === undefined || part === undefined ? 0 : part - all;
}

/** Means of whole curves: a curve is asked about again for every pair it is in. */
const wholeMeans = new WeakMap<LoudnessCurve, number | undefined>();

function wholeMean(curve: LoudnessCurve): number | undefined {
  if (!wholeMeans.has(curve)) wholeMeans.set(curve, gatedMean(curve));
  return wholeMeans.get(curve);
}

function gatedMean(curve: LoudnessCurve): number | undefined {
  const loud = curve.filter((value) => value > floorLufs);
  if (loud.length === 0) return undefined;
  const mean = energyMean(loud);
  return energyMean(loud.filter((value) => value > mean - relativeGateLu));
}

function energyMean(values: readonly number[]): number {
  return 10 * Math.log10(values.reduce((sum, value) => sum + 10 ** (value / 10), 0) / values.length);
}
