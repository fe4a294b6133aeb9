import { createFftPlan } from './fft-plan.js';
import { JsPowerSpectrum } from './power-spectrum.js';

/** What a peak kernel needs to know; all ranges are checked by its owner. */
export type PeakKernelSettings = Readonly<{
  fftSize: number;
  hopSamples: number;
  binRadius: number;
  frameRadius: number;
  /** First bin that may hold a peak, at least 1. */
  minBin: number;
  /** End of the bins that may hold a peak (exclusive), at most fftSize / 2. */
  maxBin: number;
  /** Power under which nothing is a peak. */
  floorPower: number;
  /** Most frames a call. */
  blockFrames: number;
  /** Window of `fftSize` samples with all scaling inside. */
  window: Float32Array;
}>;

/**
 * Finds local maxima of a power spectrogram block by block; both back ends give the same bits.
 *
 * A peak is at least as loud as every cell within the radii that exists, and louder than those cells of its own value
 * that come earlier (by frame, then bin): of a plateau only the first cell is a peak.
 */
export interface PeakKernel {
  /** Input of a block, frames start every hop from index 0; length blockFrames * hop + fftSize - hop. */
  readonly samples: Float32Array;
  /** Row (frame since the start of the stream) of each peak found by the last call. */
  readonly frames: Int32Array;
  /** Bin of each peak. */
  readonly bins: Int32Array;
  /** Power of the peak, of the bin below, the bin above, the frame before, the frame after (-1: no such frame). */
  readonly powers: Float32Array;
  /**
   * Transforms `count` more frames and finds the peaks whose neighbourhood is complete, or, at the end of the stream,
   * all that are left.
   *
   * @returns number of peaks
   */
  run(count: number, last: boolean): number;
  /** Forgets the stream. */
  reset(): void;
}

/** Most peaks that one call can give: no two share a cell of (frameRadius + 1) x (binRadius + 1). */
export function peakCapacity(settings: PeakKernelSettings): number {
  const { blockFrames, frameRadius, binRadius, minBin, maxBin } = settings;
  const rows = Math.ceil((blockFrames + 2 * frameRadius + 4) / (frameRadius + 1));
  return rows * Math.ceil((maxBin - minBin) / (binRadius + 1));
}

/** Plain TypeScript {@link PeakKernel}. */
export class JsPeakKernel implements PeakKernel {
  readonly samples: Float32Array;
  readonly frames: Int32Array;
  readonly bins: Int32Array;
  readonly powers: Float32Array;
  private readonly spectrum: JsPowerSpectrum;
  private readonly width: number;
  /** Power, row-major [rows, width]. */
  private readonly power: Float32Array;
  /** Running maximum over the bins of each row, same shape. */
  private readonly maximum: Float32Array;
  private rows = 0;
  private firstFrame = 0;
  private nextRow = 0;
  private found = 0;

  constructor(private readonly settings: PeakKernelSettings) {
    const { fftSize, hopSamples, blockFrames, frameRadius, window } = settings;
    this.samples = new Float32Array((blockFrames - 1) * hopSamples + fftSize);
    const capacity = peakCapacity(settings);
    this.frames = new Int32Array(capacity);
    this.bins = new Int32Array(capacity);
    this.powers = new Float32Array(5 * capacity);
    this.spectrum = new JsPowerSpectrum(createFftPlan(fftSize), window);
    this.width = fftSize / 2 + 1;
    this.power = new Float32Array((blockFrames + 2 * frameRadius) * this.width);
    this.maximum = new Float32Array(this.power.length);
  }

  reset(): void {
    this.rows = 0;
    this.firstFrame = 0;
    this.nextRow = 0;
  }

  run(count: number, last: boolean): number {
    const { hopSamples, frameRadius } = this.settings;
    this.dropRows();
    for (let n = 0; n < count; n++) {
      this.spectrum.transform(this.samples, n * hopSamples, this.power, this.rows * this.width);
      this.runningMaximum(this.rows * this.width);
      this.rows++;
    }
    this.found = 0;
    const end = last ? this.rows : this.rows - frameRadius;
    for (; this.nextRow < end; this.nextRow++) this.findInRow(this.nextRow);
    return this.found;
  }

  private dropRows(): void {
    const drop = Math.max(0, this.nextRow - this.settings.frameRadius);
    this.power.copyWithin(0, drop * this.width, this.rows * this.width);
    this.maximum.copyWithin(0, drop * this.width, this.rows * this.width);
    this.rows -= drop;
    this.nextRow -= drop;
    this.firstFrame += drop;
  }

  private runningMaximum(row: number): void {
    const { minBin, maxBin, binRadius } = this.settings;
    for (let bin = minBin; bin < maxBin; bin++) {
      let maximum = this.power[row + bin];
      const end = Math.min(this.width - 1, bin + binRadius);
      for (let k = Math.max(0, bin - binRadius); k <= end; k++)
        maximum = Math.max(maximum, this.power[row + k]);
      this.maximum[row + bin] = maximum;
    }
  }

  private findInRow(row: number): void {
    const { minBin, maxBin, frameRadius, floorPower } = this.settings;
    const { power, maximum, width } = this;
    const from = Math.max(0, row - frameRadius);
    const to = Math.min(this.rows - 1, row + frameRadius);
    for (let bin = minBin; bin < maxBin; bin++) {
      const cell = row * width + bin;
      const value = power[cell];
      if (value !== maximum[cell] || value < floorPower) continue;
      let loudest = true;
      for (let r = from; loudest && r <= to; r++) loudest = maximum[r * width + bin] <= value;
      if (!loudest || this.hasEarlierEqual(row, bin, from)) continue;
      this.frames[this.found] = this.firstFrame + row;
      this.bins[this.found] = bin;
      const at = 5 * this.found;
      this.powers[at] = value;
      this.powers[at + 1] = power[cell - 1];
      this.powers[at + 2] = power[cell + 1];
      this.powers[at + 3] = row > 0 ? power[cell - width] : -1;
      this.powers[at + 4] = row + 1 < this.rows ? power[cell + width] : -1;
      this.found++;
    }
  }

  private hasEarlierEqual(row: number, bin: number, from: number): boolean {
    const { binRadius } = this.settings;
    const { power, width } = this;
    const value = power[row * width + bin];
    const first = Math.max(0, bin - binRadius);
    const end = Math.min(width - 1, bin + binRadius);
    for (let r = from; r <= row; r++) {
      for (let k = first; k <= (r < row ? end : bin - 1); k++)
        if (power[r * width + k] === value) return true;
    }
    return false;
  }
}
