import type { PolyphaseStage } from './resampler-design.js';

/**
 * Inner loop of one resampling stage. Both back ends do the same float32 operations in the same order (four partial
 * sums a row, added pairwise), so that their outputs are equal bit for bit.
 */
export interface PolyphaseKernel {
  /** Samples to read from, owned by the kernel; its length is the capacity. */
  readonly input: Float32Array;
  /**
   * Computes `count` consecutive outputs.
   *
   * @param start index in `input` of the first tap of the first output
   * @param phase phase of the first output, 0 .. phases - 1
   * @returns view of the outputs, valid until the next call
   */
  run(start: number, phase: number, count: number): Float32Array;
  /**
   * Largest absolute value.
   *
   * @param samples part of `input`, or what {@link run} gave last
   */
  largestMagnitude(samples: Float32Array): number;
}

/** Sizes of a kernel's buffers, in samples. */
export type PolyphaseCapacity = Readonly<{ input: number; output: number }>;

const fround = Math.fround;

/** Plain TypeScript {@link PolyphaseKernel}. */
export class JsPolyphaseKernel implements PolyphaseKernel {
  readonly input: Float32Array;
  private readonly output: Float32Array;

  constructor(
    private readonly stage: PolyphaseStage,
    capacity: PolyphaseCapacity,
  ) {
    this.input = new Float32Array(capacity.input);
    this.output = new Float32Array(capacity.output);
  }

  run(start: number, phase: number, count: number): Float32Array {
    const { phases, step, taps, tablePhases } = this.stage;
    for (let n = 0; n < count; n++) {
      if (tablePhases === phases) {
        this.output[n] = this.dot(start, phase * taps);
      } else {
        const place = phase * tablePhases;
        const row = Math.floor(place / phases);
        const fraction = fround((place - row * phases) / phases);
        const low = this.dot(start, row * taps);
        const high = this.dot(start, (row + 1) * taps);
        this.output[n] = fround(low + fround(fraction * fround(high - low)));
      }
      phase += step;
      const whole = Math.floor(phase / phases);
      start += whole;
      phase -= whole * phases;
    }
    return this.output.subarray(0, count);
  }

  largestMagnitude(samples: Float32Array): number {
    let largest = 0;
    for (let n = 0; n < samples.length; n++) largest = Math.max(largest, Math.abs(samples[n]));
    return largest;
  }

  private dot(start: number, row: number): number {
    const { taps, coefficients } = this.stage;
    const input = this.input;
    let sum0 = fround(0);
    let sum1 = fround(0);
    let sum2 = fround(0);
    let sum3 = fround(0);
    for (let k = 0; k < taps; k += 4) {
      sum0 = fround(sum0 + fround(coefficients[row + k] * input[start + k]));
      sum1 = fround(sum1 + fround(coefficients[row + k + 1] * input[start + k + 1]));
      sum2 = fround(sum2 + fround(coefficients[row + k + 2] * input[start + k + 2]));
      sum3 = fround(sum3 + fround(coefficients[row + k + 3] * input[start + k + 3]));
    }
    return fround(fround(sum0 + sum2) + fround(sum1 + sum3));
  }
}
