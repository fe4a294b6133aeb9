import { lowerBound, type Peaks } from './peaks.js';
import { fingerprintConfig as config } from './config.js';
import type { Alignment, ReferencePeaks } from './query-raster.js';
import { spectralModel as model } from './spectral-model.js';
import { levelDb, spectrumBins, type SpectrumLevels } from './spectrum.js';

/** Half widths of the surroundings that a cell is compared with, and of the part of them that belongs to the cell. */
const around = { wide: 8, own: 2, rival: 3 } as const;
/** Bins over which the usual level is smoothed, half width. */
const usualSmoothing = 2;
/** What one peak may say at most, logit. */
const mostOnePeak = 4;
/** Peaks below which the spectrum says nothing. */
const leastPeaks = 4;
/** Peaks that suffice to find the gain. */
const gainSample = 60;
/** The gain is looked for from the level that nearly all peaks reach: steps in dB, as far as noise hides the rest. */
const gains = { quantile: 0.12, first: -6, step: 3, count: 7 } as const;

/**
 * Compares the peaks of a reference with the query's spectrogram instead of its peaks: music under noise shows in cells
 * that are no peaks of the mix, and it cannot be softer than its gain allows.
 *
 * A small network, trained by training/fingerprint on true and chance alignments, judges every reference peak by the
 * level of its cell against the bin's usual level, its neighbours in frequency and time and the level that the music
 * would have there. Its logits add up; the gain is the one that explains most.
 */
export class SpectralAgreement {
  private readonly frames: number;
  private readonly usual = new Float32Array(spectrumBins);
  private readonly hidden1 = new Float32Array(model.bias1.length);
  private readonly hidden2 = new Float32Array(model.bias2.length);

  private constructor(private readonly levels: SpectrumLevels) {
    this.frames = Math.floor(levels.length / spectrumBins);
    this.measureUsual();
  }

  /** Of a query that has a spectrum. */
  static of(query: Peaks): SpectralAgreement | undefined {
    return query.spectrum && query.spectrum.length >= spectrumBins
      ? new SpectralAgreement(query.spectrum)
      : undefined;
  }

  /**
   * Judges a line.
   *
   * @returns sum of the peaks' logits over the square root of their number: near 0 or below by chance, 5 to 50 when the
   * reference sounds; 0 when too few peaks can be compared
   */
  along(reference: ReferencePeaks, line: Alignment): number {
    const rows = this.describe(reference, line);
    const count = rows.length / model.scale.length;
    if (count < leastPeaks) return 0;
    const sorted = Float32Array.from({ length: count }, (_, n) => rows[n * model.scale.length + 5]).sort();
    const lowest = sorted[Math.floor(gains.quantile * (count - 1))] + gains.first;
    let best = lowest;
    let most = -Infinity;
    for (let k = 0; k < gains.count; k++) {
      const sum = this.judge(rows, count, lowest + k * gains.step, count > 3 * gainSample ? 3 : 1);
      if (sum <= most) continue;
      most = sum;
      best = lowest + k * gains.step;
    }
    return this.judge(rows, count, best, 1) / Math.sqrt(count);
  }

  /**
   * Measures the cells that the reference's peaks fall into: the network's inputs at gain 0, before scaling.
   *
   * @returns row-major [peaks, 7]: the loudest cell at the peak against the bin's usual level; the cell against its
   * neighbours in frequency and in time; the loudest against the loudest around; the reference's level against the usual
   * one; the loudest against the reference's level (all dB); rank
   */
  describe(reference: ReferencePeaks, line: Alignment): Float32Array {
    const { frames, bins, levels } = reference;
    const ratio = 2 ** (line.pitch / config.stepsPerOctave);
    const from = lowerBound(frames, line.offset);
    const to = lowerBound(frames, line.offset + line.speed * this.frames);
    const width = model.scale.length;
    const rows = new Float32Array((to - from) * width);
    let count = 0;
    for (let i = from; i < to; i++) {
      const frame = Math.round((frames[i] - line.offset) / line.speed);
      const bin = Math.round(bins[i] * ratio) - config.firstBin;
      if (frame < 0 || frame >= this.frames || bin < 0 || bin >= spectrumBins) continue;
      const top = this.most(frame, bin, 1);
      const row = count * width;
      rows[row] = top - this.usual[bin];
      const cell = levelDb(this.levels[frame * spectrumBins + bin]);
      rows[row + 1] = cell - this.meanAcross(frame, bin);
      rows[row + 2] = cell - this.meanAlong(frame, bin);
      rows[row + 3] = top - this.most(frame, bin, around.rival);
      rows[row + 4] = levels[i] - this.usual[bin];
      rows[row + 5] = top - levels[i];
      rows[row + 6] = reference.ranks[i];
      count++;
    }
    return rows.subarray(0, count * width);
  }

  /** Sum of the network's logits over every `step`th peak at one gain (dB, query above reference). */
  private judge(rows: Float32Array, count: number, gain: number, step: number): number {
    const { scale, weights1, bias1, weights2, bias2, weights3, bias3 } = model;
    const { hidden1, hidden2 } = this;
    const width = scale.length;
    let sum = 0;
    for (let n = 0; n < count; n += step) {
      const row = n * width;
      for (let h = 0; h < hidden1.length; h++) {
        let value = bias1[h];
        const at = h * width;
        for (let k = 0; k < width; k++) value += weights1[at + k] * (rows[row + k] / scale[k]);
        value += gain * (weights1[at + 4] / scale[4] - weights1[at + 5] / scale[5]);
        hidden1[h] = value > 0 ? value : 0;
      }
      let logit = bias3;
      for (let h = 0; h < hidden2.length; h++) {
        let value = bias2[h];
        const at = h * hidden1.length;
        for (let k = 0; k < hidden1.length; k++) value += weights2[at + k] * hidden1[k];
        if (value > 0) logit += weights3[h] * value;
      }
      sum += Math.max(-mostOnePeak, Math.min(mostOnePeak, logit));
    }
    return sum;
  }

  /** Loudest cell within `reach` of a cell, dB. */
  private most(frame: number, bin: number, reach: number): number {
    let most = 0;
    for (let f = Math.max(0, frame - reach); f <= Math.min(this.frames - 1, frame + reach); f++) {
      const end = f * spectrumBins + Math.min(spectrumBins - 1, bin + reach);
      for (let at = f * spectrumBins + Math.max(0, bin - reach); at <= end; at++)
        if (this.levels[at] > most) most = this.levels[at];
    }
    return levelDb(most);
  }

  /** Mean level of a frame's bins around a bin, its own left out; the border repeats. */
  private meanAcross(frame: number, bin: number): number {
    let sum = 0;
    for (let d = around.own + 1; d <= around.wide; d++) {
      sum += this.levels[frame * spectrumBins + Math.max(0, bin - d)];
      sum += this.levels[frame * spectrumBins + Math.min(spectrumBins - 1, bin + d)];
    }
    return levelDb(sum / (2 * (around.wide - around.own)));
  }

  /** Mean level of a bin in the frames around a frame, its own left out; the border repeats. */
  private meanAlong(frame: number, bin: number): number {
    let sum = 0;
    for (let d = around.own + 1; d <= around.wide; d++) {
      sum += this.levels[Math.max(0, frame - d) * spectrumBins + bin];
      sum += this.levels[Math.min(this.frames - 1, frame + d) * spectrumBins + bin];
    }
    return levelDb(sum / (2 * (around.wide - around.own)));
  }

  /** Median of each bin over the query, smoothed over neighbouring bins. */
  private measureUsual(): void {
    const medians = new Float32Array(spectrumBins);
    const histogram = new Uint32Array(256);
    for (let bin = 0; bin < spectrumBins; bin++) {
      histogram.fill(0);
      for (let f = 0; f < this.frames; f++) histogram[this.levels[f * spectrumBins + bin]]++;
      let level = 0;
      for (let below = histogram[0]; below * 2 < this.frames; below += histogram[level]) level++;
      medians[bin] = levelDb(level);
    }
    for (let bin = 0; bin < spectrumBins; bin++) {
      let sum = 0;
      for (let d = -usualSmoothing; d <= usualSmoothing; d++)
        sum += medians[Math.max(0, Math.min(spectrumBins - 1, bin + d))];
      this.usual[bin] = sum / (2 * usualSmoothing + 1);
    }
  }
}
