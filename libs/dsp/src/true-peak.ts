import type { BackendChoice } from './backend.js';
import { requireInteger } from './option-error.js';
import { PolyphaseStream } from './polyphase-stream.js';
import { designStage } from './resampler-design.js';

/**
 * Streaming true peak of one channel: the largest magnitude after oversampling to at least 176.4 kHz (4 times up to
 * 48 kHz, 2 times up to 96 kHz, then none).
 *
 * @see ITU-R BS.1770-4, annex 2
 */
export class TruePeakMeter {
  private readonly stream: PolyphaseStream | undefined;
  private largest = 0;

  /**
   * @param sampleRateHz integer, 1,000 to 768,000
   * @param backend default `auto`: WASM where the host has SIMD
   */
  constructor(sampleRateHz: number, backend: BackendChoice = 'auto') {
    requireInteger('sampleRateHz', sampleRateHz, 1000, 768_000);
    const factor = sampleRateHz <= 48_000 ? 4 : sampleRateHz <= 96_000 ? 2 : 1;
    if (factor === 1) return;
    // The transition band lies around the Nyquist frequency; its images only matter for what is close to it.
    const stage = designStage(1, factor, sampleRateHz, 0.42 * sampleRateHz, 0.58 * sampleRateHz, 60);
    this.stream = new PolyphaseStream(stage, backend);
  }

  /** Largest magnitude so far, linear; samples of the last millisecond count after {@link flush}. */
  get peak(): number {
    return this.largest;
  }

  /** Takes the next samples. */
  process(samples: Float32Array): void {
    if (!this.stream) {
      for (let n = 0; n < samples.length; n++) this.largest = Math.max(this.largest, Math.abs(samples[n]));
      return;
    }
    for (let taken = 0; taken < samples.length;) {
      const count = this.stream.fill(samples, taken);
      taken += count;
      this.largest = Math.max(this.largest, this.stream.largestInput(count), this.stream.drainLargest());
    }
  }

  /** Ends the stream as if silence followed; gives the {@link peak}. */
  flush(): number {
    this.process(new Float32Array(64));
    return this.largest;
  }
}
