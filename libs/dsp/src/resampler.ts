import { createPolyphaseKernel, type BackendChoice } from './backend.js';
import { requireInteger } from './option-error.js';
import type { PolyphaseKernel } from './polyphase-kernel.js';
import { designStages, type PolyphaseStage } from './resampler-design.js';

const MAX_INPUT_BLOCK = 4096;
const MAX_OUTPUT_BLOCK = 16_384;

/**
 * Streaming sample rate conversion by windowed-sinc polyphase filters (Kaiser, one or two stages).
 *
 * Output sample n lies at time n / toHz: the filter delay is compensated. The pass-band (ripple < 0.1 dB) reaches 0.9
 * of the lower Nyquist frequency, everything from that Nyquist frequency on is at least 80 dB down. The output does not
 * depend on how the input is cut into blocks, and both back ends give the same bits.
 */
export class Resampler {
  private readonly stages: StageRunner[];
  private readonly output = new SampleBuffer();
  private inputLength = 0;
  private emitted = 0;

  /**
   * @param fromHz input rate, integer, 1,000 to 768,000
   * @param toHz output rate, same range; any ratio to `fromHz`
   * @param backend default `auto`: WASM where the host has SIMD
   * @throws {DspOptionError} if a rate is out of range
   */
  constructor(
    readonly fromHz: number,
    readonly toHz: number,
    backend: BackendChoice = 'auto',
  ) {
    requireInteger('fromHz', fromHz, 1000, 768_000);
    requireInteger('toHz', toHz, 1000, 768_000);
    const stages = fromHz === toHz ? [] : designStages(fromHz, toHz);
    this.stages = stages.map((stage) => new StageRunner(stage, backend));
  }

  /**
   * Takes the next samples of the stream and gives what can be computed from all so far.
   *
   * @returns a view that is valid until the next call (equal rates: `input` itself); may be empty
   */
  process(input: Float32Array): Float32Array {
    this.inputLength += input.length;
    if (this.stages.length === 0) {
      this.emitted += input.length;
      return input;
    }
    this.output.length = 0;
    this.push(0, input);
    this.emitted += this.output.length;
    return this.output.view();
  }

  /**
   * Ends the stream, as if silence followed, and makes the resampler ready for a new one.
   *
   * @returns the last samples: in all, round(input length * toHz / fromHz) have been given; valid until the next call
   */
  flush(): Float32Array {
    const total = Math.round((this.inputLength * this.toHz) / this.fromHz);
    this.output.length = 0;
    const silence = new Float32Array(MAX_INPUT_BLOCK);
    while (this.emitted + this.output.length < total) this.push(0, silence);
    this.output.length = Math.max(0, total - this.emitted);
    this.inputLength = 0;
    this.emitted = 0;
    for (const stage of this.stages) stage.reset();
    return this.output.view();
  }

  private push(index: number, samples: Float32Array): void {
    const stage = this.stages[index];
    if (!stage) {
      this.output.append(samples);
      return;
    }
    let taken = 0;
    while (taken < samples.length) {
      taken += stage.fill(samples, taken);
      this.push(index + 1, stage.drain());
    }
  }
}

/** One stage with its window of pending input. */
class StageRunner {
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
}

/** Growing array of samples. */
class SampleBuffer {
  length = 0;
  private samples = new Float32Array(4096);

  append(more: Float32Array): void {
    const needed = this.length + more.length;
    if (needed > this.samples.length) {
      const grown = new Float32Array(Math.max(needed, 2 * this.samples.length));
      grown.set(this.samples.subarray(0, this.length));
      this.samples = grown;
    }
    this.samples.set(more, this.length);
    this.length = needed;
  }

  view(): Float32Array {
    return this.samples.subarray(0, this.length);
  }
}
