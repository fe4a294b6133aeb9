import type { EncodedPacket } from 'mediabunny';
import { asMediaError, ContainerReader } from './container-reader.js';
import type { DecodeOptions, DecodeSummary, MediaDecoder, MediaInfo, PcmBlock } from './decoder.js';
import { downmix } from './downmix.js';
import { DecodeFailedError, throwIfAborted, TooLongError, ZeroDurationError } from './media-error.js';
import { openMediaFile, type MediaFile } from './media-file.js';
import type { PacketDecoder } from './packet-decoder.js';
import { BlockCounter, defaultMaxDurationMs } from './pcm-blocks.js';
import { summarise } from './summary.js';
import { openPacketDecoder } from './wasm-packet-decoders.js';

/** Decodes in this process: TypeScript demuxers and WASM decoders, no other program. */
export class WasmDecoder implements MediaDecoder {
  readonly name = 'wasm';

  async probe(path: string, options: DecodeOptions = {}): Promise<MediaInfo> {
    throwIfAborted(options.signal);
    const file = await openMediaFile(path);
    try {
      const reader = await ContainerReader.open(file);
      try {
        const durationMs = await reader.declaredMs();
        const { codec, sampleRateHz, channels } = reader.format;
        return {
          container: file.container,
          codec: /^pcm-/.test(codec) ? 'pcm' : codec,
          sampleRateHz,
          channels,
          ...(durationMs === undefined ? {} : { durationMs: Math.round(durationMs) }),
          bytes: file.bytes,
          hasVideo: reader.hasVideo,
        };
      } finally {
        reader.close();
      }
    } finally {
      await file.handle.close();
    }
  }

  async *decode(path: string, options: DecodeOptions = {}): AsyncGenerator<PcmBlock, DecodeSummary, void> {
    throwIfAborted(options.signal);
    const file = await openMediaFile(path);
    try {
      return yield* decodeFile(file, options);
    } finally {
      await file.handle.close();
    }
  }
}

async function* decodeFile(
  file: MediaFile,
  options: DecodeOptions,
): AsyncGenerator<PcmBlock, DecodeSummary, void> {
  const limitMs = options.maxDurationMs ?? defaultMaxDurationMs;
  const reader = await ContainerReader.open(file);
  let decoder: PacketDecoder | undefined;
  try {
    const declaredMs = await reader.declaredMs();
    if (declaredMs !== undefined && declaredMs > limitMs) throw new TooLongError(declaredMs, limitMs);
    decoder = await openPacketDecoder(reader.format);
    const counter = new BlockCounter(decoder.sampleRateHz, limitMs);
    const warnings: string[] = [];
    let damaged = 0;
    for await (const batch of batches(reader, warnings)) {
      throwIfAborted(options.signal);
      const { channels, errors } = await decoder.decode(batch.map((packet) => packet.data));
      damaged += errors;
      if (channels.length === 0 || channels[0].length === 0) continue;
      yield counter.next(downmix(channels, decoder.speakers));
    }
    if (damaged > 0) warnings.push(`${damaged} damaged packets`);
    if (counter.decodedMs === 0)
      throw damaged > 0 ? new DecodeFailedError(warnings.join('; ')) : new ZeroDurationError();
    return summarise(counter, declaredMs, warnings);
  } finally {
    decoder?.free();
    reader.close();
  }
}

const batchSeconds = 0.5;

/** Packets in batches of about half a second; an error after the first packet ends the stream with a warning. */
async function* batches(
  reader: ContainerReader,
  warnings: string[],
): AsyncGenerator<readonly EncodedPacket[], void, void> {
  let batch: EncodedPacket[] = [];
  let seconds = 0;
  let any = false;
  try {
    for await (const packet of reader.packets()) {
      any = true;
      batch.push(packet);
      seconds += packet.duration;
      if (seconds >= batchSeconds || batch.length >= 256) {
        yield batch;
        batch = [];
        seconds = 0;
      }
    }
  } catch (error) {
    const wrapped = asMediaError(error);
    if (!any) throw wrapped;
    warnings.push(wrapped.message);
  }
  if (batch.length > 0) yield batch;
}
