import type { BackendChoice } from './backend.js';
import { requireInteger } from './option-error.js';
import { MAX_INPUT_BLOCK, PolyphaseStream } from './polyphase-stream.js';
import { designStages } from './resampler-design.js';

/**
 * Streaming sample rate conversion by windowed-sinc polyphase filters (Kaiser, one or two stages).
 *
 * Output sample n lies at time n / toHz: the filter delay is compensated. The pass-band (ripple < 0.1 dB) reaches 0.9
 * of the lower Nyquist frequency, everything from that Nyquist frequency on is at least 80 dB down. The output does not
 * depend on how the input is cut into blocks, and both back ends give the same bits.
 */
export class Resampler {
  private readonly stages: PolyphaseStream[];
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
    this.stages = stages.map((stage) => new PolyphaseStream(stage, backend));
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
