import type { PcmBlock } from './decoder.js';
import { DecodeFailedError, TooLongError } from './media-error.js';

/** Longest audio that is decoded unless the caller says otherwise: 13 h. */
export const defaultMaxDurationMs = 13 * 3_600_000;

/** Longest wait for a block unless the caller says otherwise: 30 s. */
export const defaultStallTimeoutMs = 30_000;

/**
 * Numbers the blocks of one decode, replaces samples that are not finite by 0, and stops a decode that grows past its
 * limit.
 */
export class BlockCounter {
  private frames = 0;
  private replaced = 0;

  /** @throws {DecodeFailedError} for a rate that no sound has: below 1,000 or above 768,000 Hz */
  constructor(
    readonly sampleRateHz: number,
    private readonly maxDurationMs: number = defaultMaxDurationMs,
  ) {
    if (!(sampleRateHz >= 1_000 && sampleRateHz <= 768_000)) {
      throw new DecodeFailedError(`a sample rate of ${sampleRateHz} Hz`);
    }
  }

  /**
   * Makes the next block. The arrays become the block's; they are changed where they hold NaN or infinity.
   *
   * @throws {TooLongError} past the limit
   */
  next(channels: readonly Float32Array[]): PcmBlock {
    for (const samples of channels) this.replaced += replaceNonFinite(samples);
    const block = { sampleRateHz: this.sampleRateHz, channels, startFrame: this.frames };
    this.frames += channels[0].length;
    if (this.decodedMs > this.maxDurationMs) throw new TooLongError(this.decodedMs, this.maxDurationMs);
    return block;
  }

  /** Duration of all blocks so far. */
  get decodedMs(): number {
    return (this.frames / this.sampleRateHz) * 1_000;
  }

  /** Samples that were NaN or infinite. */
  get nonFinite(): number {
    return this.replaced;
  }
}

/** Replaces NaN and infinity by 0 in place and counts them. */
export function replaceNonFinite(samples: Float32Array): number {
  // Zero times NaN or infinity is NaN: one multiplication a sample tells whether any is there.
  let check = 0;
  for (let i = 0; i < samples.length; i++) check += samples[i] * 0;
  if (check === 0) return 0;
  let replaced = 0;
  for (let i = 0; i < samples.length; i++) {
    if (Number.isFinite(samples[i])) continue;
    samples[i] = 0;
    replaced++;
  }
  return replaced;
}
