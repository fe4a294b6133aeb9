import { JsPeakKernel, type PeakKernel, type PeakKernelSettings } from './peak-kernel.js';
import { JsPolyphaseKernel, type PolyphaseCapacity, type PolyphaseKernel } from './polyphase-kernel.js';
import type { PolyphaseStage } from './resampler-design.js';
import { isWasmSupported } from './wasm-module.js';
import { WasmPeakKernel } from './wasm-peak-kernel.js';
import { WasmPolyphaseKernel } from './wasm-polyphase-kernel.js';

/** Which implementation of the inner loops runs. */
export type Backend = 'wasm' | 'js';

/** `auto` takes WASM where the host has SIMD, else plain TypeScript. */
export type BackendChoice = Backend | 'auto';

/** Resolves `auto`. */
export function chooseBackend(choice: BackendChoice): Backend {
  if (choice !== 'auto') return choice;
  return isWasmSupported() ? 'wasm' : 'js';
}

/** Makes the inner loop of one resampling stage. */
export function createPolyphaseKernel(
  stage: PolyphaseStage,
  capacity: PolyphaseCapacity,
  backend: BackendChoice,
): PolyphaseKernel {
  return chooseBackend(backend) === 'wasm'
    ? new WasmPolyphaseKernel(stage, capacity)
    : new JsPolyphaseKernel(stage, capacity);
}

/** Makes the inner loop of a peak finder. */
export function createPeakKernel(settings: PeakKernelSettings, backend: BackendChoice): PeakKernel {
  return chooseBackend(backend) === 'wasm' ? new WasmPeakKernel(settings) : new JsPeakKernel(settings);
}
