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
import { BlockCounter, defaultMaxDurationMs } from './pcm-blocks.js';
import { summarise } from './summary.js';
import { readPcm } from './ffmpeg-pcm.js';

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
      for await (const pcm of readPcm(child, options)) {
        counter ??= new BlockCounter(pcm.sampleRateHz, limitMs);
        if (log.declaredMs !== undefined && log.declaredMs > limitMs)
          throw new TooLongError(log.declaredMs, limitMs);
        yield counter.next(downmix(pcm.channels, pcm.speakers));
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
    return nothingDecoded(file.bytes, cut, log.errors);
  }
}
