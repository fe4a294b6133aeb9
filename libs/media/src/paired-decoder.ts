import type { DecodeOptions, DecodeSummary, MediaDecoder, MediaInfo, PcmBlock } from './decoder.js';
import { openMediaFile } from './media-file.js';
import type { ContainerName } from './detect-media.js';
import { MediaError, NeedsFfmpegError, type MediaErrorCode } from './media-error.js';

/** Largest file that is decoded in this process although FFmpeg is there: about 10 s of CD audio, 2 min of MP3. */
const inProcessBytes = 2 * 1_048_576;
const inProcessContainers: ReadonlySet<ContainerName> = new Set<ContainerName>(['wav', 'mp3', 'flac', 'ogg']);
const worthASecondTry: ReadonlySet<MediaErrorCode> = new Set<MediaErrorCode>([
  'media.decode-failed',
  'media.codec-needs-ffmpeg',
  'media.truncated',
]);

/**
 * Takes the cheaper of two decoders for each file: short clips in this process, where starting FFmpeg costs more than the
 * decode (docs/evaluation/media.md), everything else with FFmpeg. Where one gives up before its first block, the other
 * one tries.
 */
export class PairedDecoder implements MediaDecoder {
  readonly name = 'auto';

  constructor(
    private readonly ffmpeg: MediaDecoder,
    private readonly wasm: MediaDecoder,
  ) {}

  async probe(path: string, options?: DecodeOptions): Promise<MediaInfo> {
    const [first, second] = await this.order(path);
    try {
      return await first.probe(path, options);
    } catch (error) {
      if (!deservesSecondTry(error)) throw error;
      return second.probe(path, options).catch((again: unknown) => {
        throw moreTelling(error, again);
      });
    }
  }

  async *decode(path: string, options?: DecodeOptions): AsyncGenerator<PcmBlock, DecodeSummary, void> {
    const [first, second] = await this.order(path);
    let any = false;
    try {
      return yield* noting(first.decode(path, options), () => (any = true));
    } catch (error) {
      if (any || !deservesSecondTry(error)) throw error;
      try {
        return yield* noting(second.decode(path, options), () => (any = true));
      } catch (again) {
        throw any ? again : moreTelling(error, again);
      }
    }
  }

  /** @throws {MediaError} for what is no media at all */
  private async order(path: string): Promise<readonly [MediaDecoder, MediaDecoder]> {
    const { handle, bytes, container } = await openMediaFile(path);
    await handle.close();
    const inProcess = bytes <= inProcessBytes && inProcessContainers.has(container);
    return inProcess ? [this.wasm, this.ffmpeg] : [this.ffmpeg, this.wasm];
  }
}

async function* noting(
  blocks: AsyncGenerator<PcmBlock, DecodeSummary, void>,
  onBlock: () => void,
): AsyncGenerator<PcmBlock, DecodeSummary, void> {
  try {
    for (;;) {
      const next = await blocks.next();
      if (next.done) return next.value;
      onBlock();
      yield next.value;
    }
  } finally {
    await blocks.return({ decodedMs: 0, partial: true, warnings: [] });
  }
}

function deservesSecondTry(error: unknown): boolean {
  return error instanceof MediaError && worthASecondTry.has(error.code);
}

function moreTelling(first: unknown, second: unknown): unknown {
  return second instanceof NeedsFfmpegError ? first : second;
}
