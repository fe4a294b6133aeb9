import type { DecodeOptions, DecodeSummary, MediaDecoder, MediaInfo, PcmBlock } from './decoder.js';
import { missingTail } from './container-extent.js';
import { downmix } from './downmix.js';
import { decodeArguments } from './ffmpeg-arguments.js';
import { FfmpegLog } from './ffmpeg-log.js';
import { PipedProcess } from './ffmpeg-process.js';
import { probeWithFfprobe } from './ffmpeg-probe.js';
import {
  DecodeFailedError,
  NoAudioError,
  nothingDecoded,
  throwIfAborted,
  TooLongError,
  type MediaError,
} from './media-error.js';
import { openMediaFile, type MediaFile } from './media-file.js';
import { BlockCounter, defaultMaxDurationMs, defaultStallTimeoutMs } from './pcm-blocks.js';
import { summarise } from './summary.js';
import { readWavStreamFormat, type WavStreamFormat } from './wav-stream.js';

/** Where FFmpeg's two programs are. */
export type FfmpegPrograms = Readonly<{ ffmpeg: string; ffprobe: string; version: string }>;

/** Decodes with FFmpeg, one child process a file. */
export class FfmpegDecoder implements MediaDecoder {
  readonly name = 'ffmpeg';

  constructor(private readonly programs: FfmpegPrograms) {}

  async probe(path: string, options: DecodeOptions = {}): Promise<MediaInfo> {
    throwIfAborted(options.signal);
    const file = await openMediaFile(path);
    await file.handle.close();
    return probeWithFfprobe(this.programs.ffprobe, file, options);
  }

  async *decode(path: string, options: DecodeOptions = {}): AsyncGenerator<PcmBlock, DecodeSummary, void> {
    throwIfAborted(options.signal);
    const file = await openMediaFile(path);
    const cut = await missingTail(file).finally(() => file.handle.close());
    const limitMs = options.maxDurationMs ?? defaultMaxDurationMs;
    const log = new FfmpegLog();
    const child = new PipedProcess(this.programs.ffmpeg, decodeArguments(path, file.container), (text) =>
      log.push(text),
    );
    let counter: BlockCounter | undefined;
    try {
      for await (const pcm of pcmOf(child, options)) {
        counter ??= new BlockCounter(pcm.format.sampleRateHz, limitMs);
        if (log.declaredMs !== undefined && log.declaredMs > limitMs)
          throw new TooLongError(log.declaredMs, limitMs);
        yield counter.next(downmix(pcm.channels, pcm.format.speakers));
      }
      await child.exit();
    } finally {
      await child.stop();
    }
    log.end();
    if (child.failure) throw new DecodeFailedError('FFmpeg did not start', { cause: child.failure });
    if (!counter || counter.decodedMs === 0) throw await this.whyNothing(file, cut, log, options);
    return summarise(counter, { declaredMs: log.declaredMs, cut, warnings: log.warnings });
  }

  private async whyNothing(
    file: MediaFile,
    cut: string | undefined,
    log: FfmpegLog,
    options: DecodeOptions,
  ): Promise<MediaError> {
    try {
      await probeWithFfprobe(this.programs.ffprobe, file, options);
    } catch (error) {
      if (error instanceof NoAudioError) return error;
    }
    return nothingDecoded(file.bytes, cut, log.warnings);
  }
}

type Pcm = Readonly<{ format: WavStreamFormat; channels: readonly Float32Array[] }>;

/** Cuts the process's WAV stream into pieces of whole frames, one second at most. */
async function* pcmOf(child: PipedProcess, options: DecodeOptions): AsyncGenerator<Pcm, void, void> {
  const stallMs = options.stallTimeoutMs ?? defaultStallTimeoutMs;
  let format: WavStreamFormat | undefined;
  let pending: Uint8Array[] = [];
  let pendingBytes = 0;
  for (;;) {
    const chunk = await child.read(stallMs, options.signal);
    if (chunk) {
      pending.push(chunk);
      pendingBytes += chunk.length;
    }
    if (!format) {
      const head = Buffer.concat(pending);
      format = readWavStreamFormat(head);
      if (format) {
        pending = [head.subarray(format.dataOffset)];
        pendingBytes = pending[0].length;
      }
    }
    if (format) {
      const frameBytes = format.channels * 4;
      const blockBytes = format.sampleRateHz * frameBytes;
      if (pendingBytes >= blockBytes || !chunk) {
        const all = Buffer.concat(pending);
        const usable = all.length - (all.length % frameBytes);
        for (let at = 0; at < usable; at += blockBytes) {
          yield {
            format,
            channels: deinterleave(all.subarray(at, Math.min(usable, at + blockBytes)), format.channels),
          };
        }
        pending = [all.subarray(usable)];
        pendingBytes = pending[0].length;
      }
    }
    if (!chunk) return;
  }
}

function deinterleave(bytes: Uint8Array, channels: number): Float32Array[] {
  const samples = new Float32Array(new Uint8Array(bytes).buffer);
  const frames = samples.length / channels;
  return Array.from({ length: channels }, (_, channel) => {
    const out = new Float32Array(frames);
    for (let i = 0, at = channel; i < frames; i++, at += channels) out[i] = samples[at];
    return out;
  });
}
