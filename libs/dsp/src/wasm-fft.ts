import { createFftPlan } from './fft-plan.js';
import { instantiateKernels, type KernelInstance, type MemoryPlan } from './wasm-module.js';

/** Addresses of the tables of the four-lane FFT in an instance's memory. */
export type FftLayout = Readonly<{
  window: number;
  work: number;
  twiddles: number;
  places: number;
  splits: number;
}>;

/** Reserves room for the FFT of `size` real values under a window of `windowSamples`. */
export function planFft(plan: MemoryPlan, size: number, windowSamples: number): FftLayout {
  return {
    window: plan.take(4 * (windowSamples + 3)),
    work: plan.take(16 * size),
    twiddles: plan.take(16 * size),
    places: plan.take(2 * size),
    splits: plan.take(2 * size + 8),
  };
}

/** Makes the instance that `plan` describes, with the FFT's tables filled in. */
export function instantiateWithFft(
  plan: MemoryPlan,
  layout: FftLayout,
  size: number,
  window: Float32Array,
): KernelInstance {
  const instance = instantiateKernels(plan);
  const { twiddles, places, splits } = createFftPlan(size);
  new Float32Array(instance.memory, layout.window).set(window);
  new Float32Array(instance.memory, layout.twiddles).set(twiddles);
  new Uint32Array(instance.memory, layout.places).set(places);
  new Float32Array(instance.memory, layout.splits).set(splits);
  const windowSamples = 4 * Math.ceil(window.length / 4);
  instance.exports.setUpFft(
    size,
    layout.window,
    windowSamples,
    layout.work,
    layout.twiddles,
    layout.places,
    layout.splits,
  );
  return instance;
}
