import type { LogMel } from '@earmark/dsp';
import { SegmentMeter, type SegmentOutputs } from '@earmark/tagging';
import type { TaggingSession } from './tagging-session.js';

type HeardBatch = Readonly<{ segments: readonly number[]; logits: Float32Array; embeddings: Float32Array }>;

/** Samples that go through the front end at a time: bounds the frames that come out. */
const sliceSamples = 16_384;

/**
 * Hears one track: takes mono samples as they are decoded and keeps, a segment, logits, embedding and level.
 *
 * Memory is one window of frames, one batch and the results; it does not hold the audio. Silent segments do not reach
 * the model. Belongs into a worker thread, beside the other consumers of the decode.
 */
export class Tagger {
  /** Rate of the samples that {@link push} takes. */
  readonly sampleRateHz: number;
  private readonly frontEnd: LogMel;
  private readonly meter: SegmentMeter;
  private readonly frames: Float32Array;
  private readonly batch: Float32Array;
  private readonly waiting: number[] = [];
  private readonly heard: HeardBatch[] = [];
  private heldFrames = 0;
  private segment = 0;

  constructor(private readonly session: TaggingSession) {
    const { input, frontEnd } = session.manifest;
    this.sampleRateHz = frontEnd.sampleRateHz;
    this.frontEnd = session.frontEnd();
    this.meter = new SegmentMeter(this.sampleRateHz, session.model.hopMs);
    this.frames = new Float32Array(input.frames * input.bands);
    this.batch = new Float32Array(session.batchSegments * input.frames * input.bands);
  }

  /**
   * Takes the next samples (mono, -1..1); resolves when they have been read, after running the model when a batch of
   * segments is complete.
   */
  async push(samples: Float32Array): Promise<void> {
    this.meter.push(samples);
    await this.#hear(samples);
  }

  /**
   * Ends the track: fills the last segment with zeros and gives what was heard. A last segment with less than a second
   * of sound is dropped unless it is the only one. The tagger is used up.
   */
  async finish(): Promise<SegmentOutputs> {
    const { input, frontEnd } = this.session.manifest;
    const { samples } = this.meter;
    const hopSamples = input.hopFrames * frontEnd.hopSamples;
    const count = Math.max(1, Math.ceil((samples - frontEnd.sampleRateHz) / hopSamples));
    const wanted =
      (count - 1) * hopSamples + (input.frames - 1) * frontEnd.hopSamples + frontEnd.windowSamples;
    await this.#hear(new Float32Array(Math.max(0, wanted - samples)));
    await this.#take(this.frontEnd.flush());
    await this.#runBatch();
    return this.#outputs(count, (samples / frontEnd.sampleRateHz) * 1000);
  }

  async #hear(samples: Float32Array): Promise<void> {
    for (let from = 0; from < samples.length; from += sliceSamples)
      await this.#take(this.frontEnd.process(samples.subarray(from, from + sliceSamples)));
  }

  /** Moves frames into the window; whenever it is full, a segment is complete. */
  async #take(rows: Float32Array): Promise<void> {
    const { input } = this.session.manifest;
    const { frames } = this;
    let taken = 0;
    while (taken < rows.length) {
      const held = this.heldFrames * input.bands;
      const count = Math.min(rows.length - taken, frames.length - held);
      frames.set(rows.subarray(taken, taken + count), held);
      taken += count;
      this.heldFrames += count / input.bands;
      if (this.heldFrames < input.frames) return;
      if (!this.meter.isSilent(this.segment)) {
        this.batch.set(frames, this.waiting.length * frames.length);
        this.waiting.push(this.segment);
        if (this.waiting.length === this.session.batchSegments) await this.#runBatch();
      }
      this.segment++;
      frames.copyWithin(0, input.hopFrames * input.bands);
      this.heldFrames -= input.hopFrames;
    }
  }

  async #runBatch(): Promise<void> {
    if (this.waiting.length === 0) return;
    const segments = this.waiting.splice(0);
    this.heard.push({ segments, ...(await this.session.run(this.batch, segments.length)) });
  }

  #outputs(count: number, durationMs: number): SegmentOutputs {
    const { tags, embeddingSize } = this.session.model;
    const logits = new Float32Array(count * tags.length);
    const embeddings = new Float32Array(count * embeddingSize);
    for (const batch of this.heard) {
      batch.segments.forEach((k, row) => {
        const of = (values: Float32Array, size: number): Float32Array =>
          values.subarray(row * size, (row + 1) * size);
        logits.set(of(batch.logits, tags.length), k * tags.length);
        embeddings.set(of(batch.embeddings, embeddingSize), k * embeddingSize);
      });
    }
    const each = Array.from({ length: count }, (_, k) => k);
    return {
      durationMs: Math.round(durationMs),
      count,
      logits,
      embeddings,
      rmsDb: Float32Array.from(each, (k) => this.meter.rmsDb(k)),
      descriptors: each.map((k) => this.meter.describe(k)),
    };
  }
}
