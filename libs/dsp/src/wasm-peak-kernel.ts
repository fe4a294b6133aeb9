import { peakCapacity, type PeakKernel, type PeakKernelSettings } from './peak-kernel.js';
import { instantiateWithFft, planFft } from './wasm-fft.js';
import { MemoryPlan, type KernelExports } from './wasm-module.js';

/** Zero vectors on both sides of a spectrum, for the neighbours of its first and last bins. */
const GUARD = 96;

/** SIMD {@link PeakKernel}: window, FFT, power, running maximum and search in one call, four frames at a time. */
export class WasmPeakKernel implements PeakKernel {
  readonly samples: Float32Array;
  readonly frames: Int32Array;
  readonly bins: Int32Array;
  readonly powers: Float32Array;
  private readonly exports: KernelExports;
  private rows = 0;
  private firstFrame = 0;
  private nextRow = 0;

  constructor(private readonly settings: PeakKernelSettings) {
    const { fftSize, hopSamples, binRadius, frameRadius, minBin, maxBin, floorPower, blockFrames, window } =
      settings;
    const margin = roundUp(binRadius);
    const width = margin + roundUp(maxBin - minBin) + margin + 4;
    const rows = blockFrames + 2 * frameRadius + 4;
    const capacity = peakCapacity(settings);
    const inputLength = (blockFrames - 1) * hopSamples + fftSize;

    const plan = new MemoryPlan();
    const samples = plan.take(4 * (inputLength + 3 * hopSamples));
    const fft = planFft(plan, fftSize, window.length);
    const spectrum = plan.take(16 * (GUARD + fftSize / 2 + 1 + GUARD)) + 16 * GUARD;
    const power = plan.take(4 * rows * width);
    const maximum = plan.take(4 * rows * width);
    const scratch = plan.take(4 * width);
    const frames = plan.take(4 * capacity);
    const bins = plan.take(4 * capacity);
    const powers = plan.take(20 * capacity);

    const { memory, exports } = instantiateWithFft(plan, fft, fftSize, window);
    exports.setUpPeaks(
      samples,
      4 * hopSamples,
      spectrum,
      power,
      maximum,
      scratch,
      width,
      minBin - margin,
      minBin,
      maxBin,
      binRadius,
      frameRadius,
      floorPower,
      frames,
      bins,
      powers,
    );
    this.exports = exports;
    this.samples = new Float32Array(memory, samples, inputLength);
    this.frames = new Int32Array(memory, frames, capacity);
    this.bins = new Int32Array(memory, bins, capacity);
    this.powers = new Float32Array(memory, powers, 5 * capacity);
  }

  reset(): void {
    this.rows = 0;
    this.firstFrame = 0;
    this.nextRow = 0;
  }

  run(count: number, last: boolean): number {
    const { frameRadius } = this.settings;
    const drop = Math.max(0, this.nextRow - frameRadius);
    const rows = this.rows - drop + count;
    const from = this.nextRow - drop;
    const to = Math.max(from, last ? rows : rows - frameRadius);
    const found = this.exports.findPeaks(this.rows, drop, count, from, to);
    this.rows = rows;
    this.nextRow = to;
    this.firstFrame += drop;
    for (let n = 0; n < found; n++) this.frames[n] += this.firstFrame;
    return found;
  }
}

function roundUp(count: number): number {
  return 4 * Math.ceil(count / 4);
}
