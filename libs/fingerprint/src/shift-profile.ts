import { fingerprintConfig as config } from './config.js';
import { binOfPitch } from './landmark-cells.js';
import type { Peaks } from './peaks.js';
import type { Alignment, ReferencePeaks } from './query-raster.js';

/** How one place of a track compares with all the others, at the same speed and pitch. */
export type Standing = Readonly<{
  /** Standard deviations by which the place has more coinciding peaks than the track's other places. */
  contrast: number;
  /** Offset of the place with the most coincidences. */
  bestOffset: number;
  /** Coincidences there, relative to the place asked about. */
  bestGain: number;
}>;

const width = config.lastBin - config.firstBin;
/** Frames around the place that are not its rivals. */
const ownFrames = 8;
/** Share of the other places, the best ones, that do not count: they may be true repeats. */
const trimmed = 0.01;

/** Counts coincidences of a query's peaks with a reference at all offsets at once. */
export class ShiftProfile {
  private readonly starts = new Uint32Array(width + 3);
  private readonly times: Float32Array;
  private readonly lengthFrames: number;

  constructor(query: Peaks) {
    this.lengthFrames = Math.max(1, Math.ceil(query.lengthFrames));
    const bins = query.pitches.map((pitch) => Math.round(binOfPitch(pitch)) - config.firstBin);
    const inRange = (bin: number): boolean => bin >= 0 && bin < width;
    for (const bin of bins) if (inRange(bin)) this.starts[bin + 2]++;
    for (let bin = 0; bin < width; bin++) this.starts[bin + 2] += this.starts[bin + 1];
    this.times = new Float32Array(this.starts[width + 1]);
    for (let i = 0; i < bins.length; i++)
      if (inRange(bins[i])) this.times[this.starts[bins[i] + 1]++] = query.frames[i];
  }

  /** Compares a line with all other offsets of the same reference. */
  standing(reference: ReferencePeaks, line: Alignment): Standing {
    const counts = this.count(reference, line);
    const own = Math.round(line.offset / line.speed) + this.lengthFrames;
    let top = 0;
    for (let i = Math.max(1, own - 2); i <= Math.min(counts.length - 2, own + 2); i++)
      top = Math.max(top, counts[i]);
    let best = own;
    let most = top;
    const others: number[] = [];
    for (let i = this.lengthFrames; i < counts.length - this.lengthFrames; i++) {
      if (Math.abs(i - own) < ownFrames) continue;
      others.push(counts[i]);
      if (counts[i] > most) {
        most = counts[i];
        best = i;
      }
    }
    const { mean, deviation } = spread(Float32Array.from(others));
    return {
      contrast: (top - mean) / deviation,
      bestOffset: (best - this.lengthFrames) * line.speed,
      bestGain: top > 0 ? most / top : 1,
    };
  }

  /** Weighted coincidences per offset (query frames, from `-lengthFrames`), over three frames. */
  private count(reference: ReferencePeaks, line: Alignment): Float32Array {
    const { frames, bins, weights } = reference;
    const ratio = 2 ** (line.pitch / config.stepsPerOctave);
    const last = frames.length > 0 ? frames[frames.length - 1] / line.speed : 0;
    const raw = new Float32Array(Math.ceil(last) + 2 * this.lengthFrames + 4);
    for (let i = 0; i < frames.length; i++) {
      const bin = Math.round(bins[i] * ratio) - config.firstBin;
      if (bin < 1 || bin >= width - 1) continue;
      const time = frames[i] / line.speed + this.lengthFrames;
      for (let k = this.starts[bin - 1]; k < this.starts[bin + 2]; k++)
        raw[Math.round(time - this.times[k])] += weights[i];
    }
    const smooth = new Float32Array(raw.length);
    for (let i = 1; i < raw.length - 1; i++) smooth[i] = 0.6 * (raw[i - 1] + raw[i + 1]) + raw[i];
    return smooth;
  }
}

/** Mean and standard deviation without the largest values; the deviation is at least that of so many random hits. */
function spread(values: Float32Array): { mean: number; deviation: number } {
  const sorted = values.sort();
  const count = Math.max(1, Math.floor(sorted.length * (1 - trimmed)));
  let sum = 0;
  let square = 0;
  for (let i = 0; i < Math.min(count, sorted.length); i++) {
    sum += sorted[i];
    square += sorted[i] * sorted[i];
  }
  const mean = sum / count;
  return { mean, deviation: Math.sqrt(Math.max(mean, square / count - mean * mean, 1)) };
}
