import { KERNELS_BASE64 } from './kernels.generated.js';

/** Entry points of the module in ../assembly; see there for what the arguments mean (pointers are byte addresses). */
export type KernelExports = Readonly<{
  resample(
    input: number,
    start: number,
    phase: number,
    count: number,
    output: number,
    coefficients: number,
    phases: number,
    step: number,
    taps: number,
    tablePhases: number,
  ): void;
  largestMagnitude(samples: number, count: number): number;
  mixDown(
    samples: number,
    channels: number,
    strideBytes: number,
    count: number,
    gain: number,
    output: number,
  ): void;
  setUpFft(
    size: number,
    window: number,
    windowSamples: number,
    work: number,
    twiddles: number,
    places: number,
    splits: number,
  ): void;
  setUpPeaks(
    samples: number,
    hopBytes: number,
    spectrum: number,
    power: number,
    maximum: number,
    scratch: number,
    width: number,
    firstBin: number,
    minBin: number,
    maxBin: number,
    binRadius: number,
    frameRadius: number,
    floorPower: number,
    frames: number,
    bins: number,
    powers: number,
  ): void;
  findPeaks(rows: number, drop: number, count: number, from: number, to: number): number;
  setUpMel(
    samples: number,
    hopBytes: number,
    spectrum: number,
    bins: number,
    bands: number,
    spans: number,
    weights: number,
    amplitude: number,
    output: number,
  ): void;
  melFrames(count: number): void;
}>;

declare const WebAssembly: {
  validate(bytes: Uint8Array): boolean;
  Module: new (bytes: Uint8Array) => object;
  Memory: new (options: { initial: number }) => { buffer: ArrayBuffer };
  Instance: new (module: object, imports: { env: { memory: object } }) => { exports: KernelExports };
};

const PAGE_BYTES = 65_536;

const compiled = compile();

function compile(): object | undefined {
  if (typeof WebAssembly === 'undefined') return undefined;
  const bytes = Uint8Array.from(atob(KERNELS_BASE64), (character) => character.charCodeAt(0));
  return WebAssembly.validate(bytes) ? new WebAssembly.Module(bytes) : undefined;
}

/** Whether this host runs the WASM kernels (it has WebAssembly with SIMD). */
export function isWasmSupported(): boolean {
  return compiled !== undefined;
}

/** Lays out the memory of one instance before it exists. */
export class MemoryPlan {
  private end = 1024;

  /** Total size so far in bytes. */
  get byteLength(): number {
    return this.end;
  }

  /** Reserves `byteLength` zeroed bytes and gives their address, a multiple of 64. */
  take(byteLength: number): number {
    const address = this.end;
    // The SIMD loops read up to one cache line past the end of an array.
    this.end = (address + byteLength + 127) & ~63;
    return address;
  }
}

/** An own instance of the kernels with memory of its own, which never grows. */
export type KernelInstance = Readonly<{ memory: ArrayBuffer; exports: KernelExports }>;

/**
 * Makes an instance.
 *
 * @throws {Error} if {@link isWasmSupported} is false
 */
export function instantiateKernels(plan: MemoryPlan): KernelInstance {
  if (!compiled) throw new Error('this host has no WebAssembly SIMD');
  const memory = new WebAssembly.Memory({ initial: Math.ceil(plan.byteLength / PAGE_BYTES) });
  const { exports } = new WebAssembly.Instance(compiled, { env: { memory } });
  return { memory: memory.buffer, exports };
}
