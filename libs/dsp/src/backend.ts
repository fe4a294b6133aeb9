import { JsMelKernel, type MelKernel, type MelKernelSettings } from './mel-kernel.js';
import { JsPeakKernel, type PeakKernel, type PeakKernelSettings } from './peak-kernel.js';
import { JsPolyphaseKernel, type PolyphaseCapacity, type PolyphaseKernel } from './polyphase-kernel.js';
import type { PolyphaseStage } from './resampler-design.js';
import { WasmMelKernel } from './wasm-mel-kernel.js';
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

/** Makes the inner loop of a mel front end. */
export function createMelKernel(settings: MelKernelSettings, backend: BackendChoice): MelKernel {
  return chooseBackend(backend) === 'wasm' ? new WasmMelKernel(settings) : new JsMelKernel(settings);
}
