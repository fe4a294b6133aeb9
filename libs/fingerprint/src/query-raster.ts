import { fingerprintConfig as config } from './config.js';
import { binOfPitch } from './landmark-cells.js';
import { lowerBound, type Peaks } from './peaks.js';

/** A line between query and reference: `reference frame = offset + speed * query frame`. */
export type Alignment = Readonly<{
  /** Reference frame that sounds at the query's frame 0. */
  offset: number;
  /** Reference frames per query frame. */
  speed: number;
  /** Query pitch above reference, steps. */
  pitch: number;
}>;

/** How well the peaks of a reference lie on those of the query. */
export type Agreement = Readonly<{
  /** Standard deviations by which the agreement exceeds what chance gives. */
  z: number;
  /** Reference peaks that fall inside the query. */
  expected: number;
  /** Share of them that the query has too, 0..1, chance not taken off. */
  share: number;
  /** Share of the near coincidences that are exact, 0..1: about 0.9 for the same audio, 0.35 by chance. */
  sharpness: number;
}>;

/** Agreement of consecutive pieces of a query: above chance, variance by chance, weight of the peaks compared. */
export type Profile = Readonly<{ excess: Float32Array; variance: Float32Array; weight: Float32Array }>;

const width = config.lastBin - config.firstBin;
/** Spread of a true peak around its place: frames, bins. */
const spread = { frames: 0.9, bins: 0.9 } as const;
/** Value of a cell from which it counts as a coincidence. */
const hitValue = 80;
/** Values of cells at the rim and in the middle of a peak's blur. */
const nearValue = 20;
const exactValue = 180;
/** Where the common gain lies among the level differences: noise only adds, so below the middle. */
const typicalGainQuantile = 0.35;
const gainToleranceDb = 4;
/** Share of unrelated peaks that lie within the tolerance of their common gain. */
const chanceNearGain = 0.4;
const reach = { frames: 2, bins: 2 } as const;

/** A reference's peaks as FFT bins, computed once. */
export type ReferencePeaks = Readonly<{
  frames: Float32Array;
  bins: Float32Array;
  levels: Float32Array;
  weights: Float32Array;
  ranks: Uint8Array;
}>;

/** Prepares stored peaks for {@link QueryRaster.agreement}. */
export function referencePeaks(peaks: Peaks): ReferencePeaks {
  const { frames, pitches, levels, ranks } = peaks;
  const bins = new Float32Array(frames.length);
  const weights = new Float32Array(frames.length);
  for (let i = 0; i < frames.length; i++) {
    bins[i] = binOfPitch(pitches[i]);
    weights[i] = rankWeight[ranks[i]];
  }
  return { frames, bins, levels, weights, ranks };
}

/** How likely a reference peak survives in a query, by rank, relative. */
const rankWeight = Float32Array.from({ length: 16 }, (_, rank) => [1, 0.8, 0.65, 0.5][rank] ?? 0.4);

/** The query's peaks drawn into a grid of frames and bins, each blurred by the accuracy of its place. */
export class QueryRaster {
  readonly lengthFrames: number;
  private readonly cells: Uint8Array;
  /** Level of the peak that fills a cell, dB. */
  private readonly levels: Int8Array;
  private readonly means = new Float32Array(width);
  private readonly variances = new Float32Array(width);

  private constructor(lengthFrames: number) {
    this.lengthFrames = Math.max(1, Math.ceil(lengthFrames));
    this.cells = new Uint8Array(this.lengthFrames * width);
    this.levels = new Int8Array(this.lengthFrames * width);
  }

  /** Draws a query at query density. */
  static ofQuery(peaks: Peaks): QueryRaster {
    const raster = new QueryRaster(peaks.lengthFrames);
    for (let i = 0; i < peaks.frames.length; i++) {
      raster.draw(peaks.frames[i], binOfPitch(peaks.pitches[i]) - config.firstBin, peaks.levels[i]);
    }
    raster.measureChance();
    return raster;
  }

  /** Draws a stretch of a reference, as the query that two references are compared by. */
  static ofReference(reference: ReferencePeaks, startFrame: number, lengthFrames: number): QueryRaster {
    const raster = new QueryRaster(lengthFrames);
    const to = lowerBound(reference.frames, startFrame + lengthFrames);
    for (let i = lowerBound(reference.frames, startFrame); i < to; i++) {
      raster.draw(reference.frames[i] - startFrame, reference.bins[i] - config.firstBin, reference.levels[i]);
    }
    raster.measureChance();
    return raster;
  }

  /** Measures how the reference agrees with the query along a line. */
  agreement(reference: ReferencePeaks, line: Alignment): Agreement {
    const { cells, means, variances, lengthFrames } = this;
    const { frames, bins, weights } = reference;
    const { offset, speed } = line;
    const ratio = 2 ** (line.pitch / config.stepsPerOctave);
    const to = lowerBound(frames, offset + speed * (lengthFrames - 1));
    let sum = 0;
    let variance = 0;
    let expected = 0;
    let hits = 0;
    let near = 0;
    let exact = 0;
    for (let i = lowerBound(frames, offset); i < to; i++) {
      const bin = Math.round(bins[i] * ratio) - config.firstBin;
      if (bin < 0 || bin >= width) continue;
      const frame = Math.round((frames[i] - offset) / speed);
      if (frame < 0 || frame >= lengthFrames) continue;
      const value = cells[frame * width + bin];
      const weight = weights[i];
      sum += weight * (value - means[bin]);
      variance += weight * weight * variances[bin];
      expected++;
      if (value > hitValue) hits++;
      if (value > nearValue) near++;
      if (value > exactValue) exact++;
    }
    if (expected === 0) return { z: 0, expected: 0, share: 0, sharpness: 0 };
    return {
      z: sum / Math.sqrt(variance),
      expected,
      share: hits / expected,
      sharpness: near > 0 ? exact / near : 0,
    };
  }

  /**
   * Measures whether the coinciding peaks keep their loudness relative to each other: of the same recording most are
   * louder or softer by one gain, by chance they scatter.
   *
   * @returns standard deviations above chance, about; added to `z` it separates true from false in noise
   */
  levelAgreement(reference: ReferencePeaks, line: Alignment): number {
    const { cells, levels, lengthFrames } = this;
    const { frames, bins } = reference;
    const { offset, speed } = line;
    const ratio = 2 ** (line.pitch / config.stepsPerOctave);
    const to = lowerBound(frames, offset + speed * (lengthFrames - 1));
    const from = lowerBound(frames, offset);
    const gains = new Float32Array(Math.max(0, to - from));
    let count = 0;
    for (let i = from; i < to; i++) {
      const bin = Math.round(bins[i] * ratio) - config.firstBin;
      const frame = Math.round((frames[i] - offset) / speed);
      if (bin < 0 || bin >= width || frame < 0 || frame >= lengthFrames) continue;
      if (cells[frame * width + bin] > hitValue)
        gains[count++] = levels[frame * width + bin] - reference.levels[i];
    }
    if (count === 0) return 0;
    const sorted = gains.subarray(0, count).sort();
    const gain = sorted[Math.floor(count * typicalGainQuantile)];
    let near = 0;
    for (const value of sorted) if (Math.abs(value - gain) < gainToleranceDb) near++;
    return (near / count - chanceNearGain) * Math.sqrt(count);
  }

  /**
   * Measures the agreement along a line piece by piece.
   *
   * @param startFrame first query frame
   * @param pieceFrames length of a piece
   * @param pieces number of pieces; those beyond the query stay 0
   */
  profile(
    reference: ReferencePeaks,
    line: Alignment,
    startFrame: number,
    pieceFrames: number,
    pieces: number,
  ): Profile {
    const { cells, means, variances, lengthFrames } = this;
    const { frames, bins, weights } = reference;
    const { offset, speed } = line;
    const ratio = 2 ** (line.pitch / config.stepsPerOctave);
    const profile = {
      excess: new Float32Array(pieces),
      variance: new Float32Array(pieces),
      weight: new Float32Array(pieces),
    };
    const to = lowerBound(
      frames,
      offset + speed * Math.min(lengthFrames - 1, startFrame + pieces * pieceFrames),
    );
    for (let i = lowerBound(frames, offset + speed * startFrame); i < to; i++) {
      const bin = Math.round(bins[i] * ratio) - config.firstBin;
      if (bin < 0 || bin >= width) continue;
      const frame = Math.round((frames[i] - offset) / speed);
      const piece = Math.floor((frame - startFrame) / pieceFrames);
      if (piece < 0 || piece >= pieces || frame >= lengthFrames) continue;
      const weight = weights[i];
      profile.excess[piece] += weight * (cells[frame * width + bin] - means[bin]);
      profile.variance[piece] += weight * weight * variances[bin];
      profile.weight[piece] += weight;
    }
    return profile;
  }

  private draw(frame: number, bin: number, levelDb: number): void {
    const frame0 = Math.round(frame);
    const bin0 = Math.round(bin);
    for (
      let f = Math.max(0, frame0 - reach.frames);
      f <= Math.min(this.lengthFrames - 1, frame0 + reach.frames);
      f++
    ) {
      const df = (f - frame) / spread.frames;
      for (let b = Math.max(0, bin0 - reach.bins); b <= Math.min(width - 1, bin0 + reach.bins); b++) {
        const db = (b - bin) / spread.bins;
        const value = 255 * Math.exp(-0.5 * (df * df + db * db));
        const at = f * width + b;
        if (value <= this.cells[at]) continue;
        this.cells[at] = value;
        this.levels[at] = levelDb;
      }
    }
  }

  /** Mean and variance of the grid per bin over the query: what a peak at a random time would meet. */
  private measureChance(): void {
    const sums = new Float64Array(width);
    const squares = new Float64Array(width);
    for (let f = 0; f < this.lengthFrames; f++) {
      for (let b = 0; b < width; b++) {
        const value = this.cells[f * width + b];
        sums[b] += value;
        squares[b] += value * value;
      }
    }
    const smooth = 1;
    for (let b = 0; b < width; b++) {
      let sum = 0;
      let square = 0;
      let count = 0;
      for (let k = Math.max(0, b - smooth); k <= Math.min(width - 1, b + smooth); k++) {
        sum += sums[k];
        square += squares[k];
        count += this.lengthFrames;
      }
      const mean = sum / count;
      this.means[b] = mean;
      this.variances[b] = Math.max(60, square / count - mean * mean);
    }
  }
}
