import type { PolyphaseCapacity, PolyphaseKernel } from './polyphase-kernel.js';
import type { PolyphaseStage } from './resampler-design.js';
import { instantiateKernels, MemoryPlan, type KernelExports } from './wasm-module.js';

/** SIMD {@link PolyphaseKernel}. */
export class WasmPolyphaseKernel implements PolyphaseKernel {
  readonly input: Float32Array;
  private readonly output: Float32Array;
  private readonly exports: KernelExports;
  private readonly coefficients: number;

  constructor(
    private readonly stage: PolyphaseStage,
    capacity: PolyphaseCapacity,
  ) {
    const plan = new MemoryPlan();
    const input = plan.take(4 * capacity.input);
    const output = plan.take(4 * capacity.output);
    this.coefficients = plan.take(stage.coefficients.byteLength);
    const { memory, exports } = instantiateKernels(plan);
    new Float32Array(memory, this.coefficients).set(stage.coefficients);
    this.input = new Float32Array(memory, input, capacity.input);
    this.output = new Float32Array(memory, output, capacity.output);
    this.exports = exports;
  }

  run(start: number, phase: number, count: number): Float32Array {
    const { phases, step, taps, tablePhases } = this.stage;
    const input = this.input.byteOffset;
    const output = this.output.byteOffset;
    this.exports.resample(
      input,
      start,
      phase,
      count,
      output,
      this.coefficients,
      phases,
      step,
      taps,
      tablePhases,
    );
    return this.output.subarray(0, count);
  }

  largestMagnitude(samples: Float32Array): number {
    return this.exports.largestMagnitude(samples.byteOffset, samples.length);
  }
}
