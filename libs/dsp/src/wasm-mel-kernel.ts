import type { MelKernel, MelKernelSettings } from './mel-kernel.js';
import { instantiateWithFft, planFft } from './wasm-fft.js';
import { MemoryPlan, type KernelExports } from './wasm-module.js';

/** SIMD {@link MelKernel}: window, FFT, power and mel bands in one call, four frames at a time. */
export class WasmMelKernel implements MelKernel {
  readonly samples: Float32Array;
  readonly energies: Float32Array;
  private readonly exports: KernelExports;

  constructor(settings: MelKernelSettings) {
    const { fftSize, hopSamples, blockFrames, window, filters, amplitude } = settings;
    const bands = filters.firstBin.length;
    const inputLength = (blockFrames - 1) * hopSamples + window.length;

    const plan = new MemoryPlan();
    const samples = plan.take(4 * (inputLength + 3 * hopSamples));
    const fft = planFft(plan, fftSize, window.length);
    const spectrum = plan.take(16 * (fftSize / 2 + 1));
    const spans = plan.take(8 * bands);
    const weights = plan.take(filters.weights.byteLength);
    const energies = plan.take(4 * bands * (blockFrames + 3));

    const { memory, exports } = instantiateWithFft(plan, fft, fftSize, window);
    const pairs = new Int32Array(memory, spans, 2 * bands);
    for (let band = 0; band < bands; band++) {
      pairs[2 * band] = filters.firstBin[band];
      pairs[2 * band + 1] = filters.binCount[band];
    }
    new Float32Array(memory, weights).set(filters.weights);
    exports.setUpMel(
      samples,
      4 * hopSamples,
      spectrum,
      fftSize / 2 + 1,
      bands,
      spans,
      weights,
      amplitude ? 1 : 0,
      energies,
    );
    this.exports = exports;
    this.samples = new Float32Array(memory, samples, inputLength);
    this.energies = new Float32Array(memory, energies, bands * blockFrames);
  }

  run(count: number): void {
    this.exports.melFrames(count);
  }
}
