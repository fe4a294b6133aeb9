import type { TrackAnalysis } from '@earmark/analysis';
import { describeEdge, edgeSamples, type Edges } from './edges.js';
import { LoudnessCurveMeter, type LoudnessCurve } from './loudness-curve.js';
import { chooseSeams, seamWindow, type Seam } from './seams.js';
import { transitionRateHz, WindowFeatures, windowMs } from './window-features.js';

/** A seam with the row of WindowFeatures that describes it. */
export type DescribedSeam = Seam & Readonly<{ features: Float32Array }>;

/** Everything that transitions need to know of a recording. */
export type TrackProfile = Readonly<{
  analysis: TrackAnalysis;
  loudnessCurve: LoudnessCurve;
  edges: Edges;
  seams: readonly DescribedSeam[];
}>;

/** Audio kept for windows whose places are known only at the end: the first ten and the last five minutes. */
const firstSamples = 600 * transitionRateHz;
const lastSamples = 300 * transitionRateHz;

/**
 * Makes a {@link TrackProfile} from a stream of mono samples at 16 kHz and the analysis of the same stream. Memory: at most
 * 29 MB, whatever the length; seams in what was let go are left out.
 */
export class TrackProfiler {
  private readonly first = new SampleStore(firstSamples);
  private readonly ring = new Int16Array(lastSamples);
  private readonly meter = new LoudnessCurveMeter(transitionRateHz);
  private length = 0;

  /** Takes the next samples, -1..1. */
  push(samples: Float32Array): void {
    this.meter.push(samples);
    const room = firstSamples - this.first.length;
    if (room > 0) this.first.append(samples.subarray(0, room));
    for (let i = Math.max(0, room); i < samples.length; i++) {
      this.ring[(this.length + i) % lastSamples] = toInt16(samples[i]);
    }
    this.length += samples.length;
  }

  /** Ends the stream. Call once. */
  finish(analysis: TrackAnalysis): TrackProfile {
    const features = new WindowFeatures();
    const durationMs = (this.length * 1000) / transitionRateHz;
    const seams: DescribedSeam[] = [];
    for (const seam of chooseSeams(analysis)) {
      const { startMs, endMs } = seamWindow(seam, durationMs, windowMs);
      const samples = this.read(samplesOf(startMs), samplesOf(endMs));
      if (samples === undefined || samples.length < transitionRateHz) continue;
      seams.push({ ...seam, features: features.describe(samples, seam.side) });
    }
    const edge = Math.min(edgeSamples, this.length);
    const empty = new Float32Array(0);
    return {
      analysis,
      loudnessCurve: this.meter.finish(),
      edges: {
        start: describeEdge(this.read(0, edge) ?? empty, 'start'),
        end: describeEdge(this.read(this.length - edge, this.length) ?? empty, 'end'),
      },
      seams,
    };
  }

  /** Samples that are still there; absent if some of them were let go. */
  private read(from: number, to: number): Float32Array | undefined {
    const end = Math.min(to, this.length);
    const kept = this.first.length;
    if (end <= kept) return this.first.read(from, end);
    if (from < this.length - lastSamples && this.length - lastSamples > kept) return undefined;
    return Float32Array.from({ length: end - from }, (_, i) => {
      const at = from + i;
      return (at < kept ? this.first.at(at) : this.ring[at % lastSamples]) / 32767;
    });
  }
}

/** Growing array of 16-bit samples. */
class SampleStore {
  length = 0;
  private samples = new Int16Array(transitionRateHz);

  constructor(private readonly most: number) {}

  append(more: Float32Array): void {
    const needed = this.length + more.length;
    if (needed > this.samples.length) {
      const grown = new Int16Array(Math.min(this.most, Math.max(needed, 2 * this.samples.length)));
      grown.set(this.samples.subarray(0, this.length));
      this.samples = grown;
    }
    for (let i = 0; i < more.length; i++) this.samples[this.length + i] = toInt16(more[i]);
    this.length = needed;
  }

  at(index: number): number {
    return this.samples[index];
  }

  read(from: number, to: number): Float32Array {
    return Float32Array.from(this.samples.subarray(from, to), (value) => value / 32767);
  }
}

function toInt16(value: number): number {
  return Math.round(Math.max(-1, Math.min(1, value)) * 32767);
}

function samplesOf(ms: number): number {
  return Math.round((ms * transitionRateHz) / 1000);
}
