import { createPolyphaseKernel, type BackendChoice } from './backend.js';
import type { PolyphaseKernel } from './polyphase-kernel.js';
import type { PolyphaseStage } from './resampler-design.js';

/** Most samples that a stream takes at once. */
export const MAX_INPUT_BLOCK = 4096;
const MAX_OUTPUT_BLOCK = 16_384;

/** One polyphase stage over a stream, with its window of pending input; output 0 lies at input sample 0. */
export class PolyphaseStream {
  private readonly kernel: PolyphaseKernel;
  private held = 0;
  private start = 0;
  private phase = 0;

  constructor(
    private readonly stage: PolyphaseStage,
    backend: BackendChoice,
  ) {
    const { phases, step, taps } = stage;
    const block = Math.min(MAX_INPUT_BLOCK, Math.max(64, Math.floor((MAX_OUTPUT_BLOCK * step) / phases)));
    const capacity = { input: block + taps + 4, output: Math.ceil(((block + taps) * phases) / step) + 4 };
    this.kernel = createPolyphaseKernel(stage, capacity, backend);
    this.reset();
  }

  /** Forgets the stream: silence comes before the next sample. */
  reset(): void {
    this.held = this.stage.taps / 2 - 1;
    this.kernel.input.fill(0, 0, this.held);
    this.start = 0;
    this.phase = 0;
  }

  /** Copies samples from `from` on as far as they fit; gives how many. */
  fill(samples: Float32Array, from: number): number {
    const { input } = this.kernel;
    const count = Math.min(samples.length - from, input.length - this.held);
    input.set(
      from === 0 && count === samples.length ? samples : samples.subarray(from, from + count),
      this.held,
    );
    this.held += count;
    return count;
  }

  /** Computes every output that the pending input allows and drops what is used up. */
  drain(): Float32Array {
    const { phases, step, taps } = this.stage;
    const room = this.held - taps - this.start;
    const count = room < 0 ? 0 : Math.floor(((room + 1) * phases - 1 - this.phase) / step) + 1;
    const output = this.kernel.run(this.start, this.phase, Math.max(0, count));
    const place = this.phase + Math.max(0, count) * step;
    const next = this.start + Math.floor(place / phases);
    this.phase = place % phases;
    const used = Math.min(next, this.held);
    this.kernel.input.copyWithin(0, used, this.held);
    this.held -= used;
    this.start = next - used;
    return output;
  }

  /** Largest absolute value of the last `count` samples that {@link fill} took. */
  largestInput(count: number): number {
    return this.kernel.largestMagnitude(this.kernel.input.subarray(this.held - count, this.held));
  }

  /** Like {@link drain}, but gives only the largest absolute value of the outputs. */
  drainLargest(): number {
    return this.kernel.largestMagnitude(this.drain());
  }
}
