import type { DecodeOptions, DecodeSummary, MediaDecoder, MediaInfo, PcmBlock } from './decoder.js';
import { missingTail } from './container-extent.js';
import { downmix } from './downmix.js';
import { FrameTrimmer } from './frame-trimmer.js';
import {
  DecodeFailedError,
  nothingDecoded,
  throwIfAborted,
  TooLongError,
  TruncatedMediaError,
} from './media-error.js';
import { openMediaFile, type MediaFile } from './media-file.js';
import { openPacketSource } from './open-packet-source.js';
import { batches } from './packet-batches.js';
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
      return await probeFile(file);
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

async function probeFile(file: MediaFile): Promise<MediaInfo> {
  const source = await openPacketSource(file);
  try {
    const durationMs = await source.declaredMs();
    const { codec, sampleRateHz, channels } = source.format;
    return {
      container: file.container,
      codec: codec.startsWith('pcm-') ? 'pcm' : codec,
      sampleRateHz,
      channels,
      ...(durationMs === undefined ? {} : { durationMs: Math.round(durationMs) }),
      bytes: file.bytes,
      hasVideo: source.hasVideo,
    };
  } finally {
    source.close();
  }
}

async function* decodeFile(
  file: MediaFile,
  options: DecodeOptions,
): AsyncGenerator<PcmBlock, DecodeSummary, void> {
  const limitMs = options.maxDurationMs ?? defaultMaxDurationMs;
  const cut = await missingTail(file);
  const source = await openPacketSource(file).catch((error: unknown) => {
    throw cut !== undefined && error instanceof DecodeFailedError
      ? new TruncatedMediaError(file.bytes)
      : error;
  });
  let decoder: PacketDecoder | undefined;
  try {
    const declaredMs = await source.declaredMs();
    if (declaredMs !== undefined && declaredMs > limitMs) throw new TooLongError(declaredMs, limitMs);
    decoder = await openPacketDecoder(source.format);
    const counter = new BlockCounter(decoder.sampleRateHz, limitMs);
    const trimmer = new FrameTrimmer(source.skipFrames);
    const totalFrames =
      declaredMs === undefined ? Infinity : Math.round((declaredMs / 1_000) * decoder.sampleRateHz);
    const warnings: string[] = [];
    let packetCount = 0;
    let damaged = 0;
    for await (const { packets, last } of batches(source, warnings)) {
      throwIfAborted(options.signal);
      packetCount += packets.length;
      const { channels, errors } = await decoder.decode(packets.map((packet) => packet.data));
      damaged += errors;
      // A damaged packet can claim another number of channels than its stream has.
      if (channels.length !== decoder.speakers.length) continue;
      const audio = trimmer.take(channels, last && endsExactly(file) ? totalFrames : Infinity);
      for (const piece of seconds(audio, decoder.sampleRateHz)) {
        yield counter.next(downmix(piece, decoder.speakers));
      }
    }
    if (damaged > 0) warnings.push(`${damaged} damaged packets`);
    if (counter.decodedMs === 0 && packetCount > 0) warnings.push(`no audio in ${packetCount} packets`);
    if (counter.decodedMs === 0) throw nothingDecoded(file.bytes, cut, warnings);
    return summarise(counter, { declaredMs, cut, warnings });
  } finally {
    decoder?.free();
    source.close();
  }
}

/** Pieces of one second at most; none where there is no sample. */
function* seconds(
  channels: readonly Float32Array[],
  sampleRateHz: number,
): Generator<readonly Float32Array[], void, void> {
  for (let start = 0; start < channels[0].length; start += sampleRateHz) {
    yield channels.map((samples) => samples.subarray(start, start + sampleRateHz));
  }
}

/** Containers whose declared duration is exact to the sample and leaves out padding. */
function endsExactly({ container }: MediaFile): boolean {
  return container === 'ogg' || container === 'mp3';
}
