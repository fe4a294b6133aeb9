import { Resampler } from '@earmark/dsp';
import { CancellationSafeMono } from './cancellation-safe-mono.js';
import type { DecodeOptions, DecodeSummary, MediaDecoder, PcmBlock } from './decoder.js';

/** One user of a decode, with the rate and channels that it wants. */
export type Consumer = Readonly<{
  /** Wanted rate in hertz; absent: the file's own. */
  sampleRateHz?: number;
  /** 1: the mean of the channels. 2: left and right, twice the same for mono files. */
  channels: 1 | 2;
  /**
   * Takes the next samples, one array a channel, -1..1. The arrays are valid until it returns (or its promise settles);
   * the decode waits for it. For a mono file that is wanted with two channels both arrays are the same.
   *
   * @param sampleRateHz rate of these samples
   */
  push(channels: readonly Float32Array[], sampleRateHz: number): void | Promise<void>;
}>;

/** How a decode with consumers ended. */
export type ListenSummary = DecodeSummary &
  Readonly<{
    /** The file's own rate. */
    sampleRateHz: number;
    /** Largest absolute sample value, linear. */
    peak: number;
    /** Nothing above -80 dBFS. */
    silent: boolean;
  }>;

/** Peak below which a file counts as silent: -80 dBFS. */
export const silencePeak = 1e-4;

/**
 * Decodes a file once and feeds every consumer, resampled to its rate. Memory does not grow with the duration.
 *
 * @throws {MediaError}
 */
export async function listen(
  decoder: MediaDecoder,
  path: string,
  consumers: readonly Consumer[],
  options: DecodeOptions = {},
): Promise<ListenSummary> {
  const blocks = decoder.decode(path, options);
  let feeds: readonly Feed[] | undefined;
  let sampleRateHz = 0;
  let peak = 0;
  try {
    for (;;) {
      const next = await blocks.next();
      if (next.done) {
        for (const feed of feeds ?? []) await feed.end();
        return { ...next.value, sampleRateHz, peak, silent: peak < silencePeak };
      }
      sampleRateHz = next.value.sampleRateHz;
      feeds ??= feedsFor(consumers, sampleRateHz);
      peak = Math.max(peak, peakOf(next.value));
      for (const feed of feeds) await feed.push(next.value.channels);
    }
  } finally {
    await blocks.return({ decodedMs: 0, partial: true, warnings: [] });
  }
}

/** Consumers with equal wishes share one conversion. */
function feedsFor(consumers: readonly Consumer[], sourceHz: number): readonly Feed[] {
  const groups = Map.groupBy(
    consumers,
    (consumer) => `${consumer.sampleRateHz ?? sourceHz}/${consumer.channels}`,
  );
  return [...groups.values()].map((group) => new Feed(group, sourceHz));
}

class Feed {
  private readonly resamplers: readonly Resampler[];
  private readonly channels: 1 | 2;
  private readonly sampleRateHz: number;
  private readonly mono: CancellationSafeMono;
  private sourceChannels = 0;

  constructor(
    private readonly consumers: readonly Consumer[],
    sourceHz: number,
  ) {
    const [{ sampleRateHz = sourceHz, channels }] = consumers;
    this.channels = channels;
    this.sampleRateHz = sampleRateHz;
    this.mono = new CancellationSafeMono(sourceHz);
    this.resamplers = Array.from({ length: channels }, () => new Resampler(sourceHz, sampleRateHz));
  }

  async push(source: readonly Float32Array[]): Promise<void> {
    this.sourceChannels = source.length;
    const wanted = this.channels === 1 ? [this.mono.mix(source)] : source;
    await this.deliver(wanted.map((samples, channel) => this.resamplers[channel].process(samples)));
  }

  async end(): Promise<void> {
    const used = this.resamplers.slice(0, this.channels === 1 ? 1 : this.sourceChannels);
    await this.deliver(used.map((resampler) => resampler.flush()));
  }

  private async deliver(channels: readonly Float32Array[]): Promise<void> {
    if (channels.length === 0 || channels[0].length === 0) return;
    const all = channels.length < this.channels ? [channels[0], channels[0]] : channels;
    for (const consumer of this.consumers) {
      const pushed = consumer.push(all, this.sampleRateHz);
      if (pushed) await pushed;
    }
  }
}

function peakOf({ channels }: PcmBlock): number {
  let peak = 0;
  for (const samples of channels) {
    for (let i = 0; i < samples.length; i++) {
      const value = samples[i] < 0 ? -samples[i] : samples[i];
      if (value > peak) peak = value;
    }
  }
  return peak;
}
