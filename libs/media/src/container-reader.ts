import {
  ADTS,
  EncodedPacketSink,
  Input,
  Logging,
  LogLevel,
  MATROSKA,
  MP4,
  MPEG_TS,
  OGG,
  QTFF,
  WAVE,
  WEBM,
  type AudioCodec,
  type InputAudioTrack,
  type InputFormat,
} from 'mediabunny';
import type { ContainerName } from './detect-media.js';
import { DecodeFailedError, MediaError, NeedsFfmpegError, NoAudioError } from './media-error.js';
import { guardedSource } from './guarded-source.js';
import type { MediaFile } from './media-file.js';
import type { TrackFormat } from './packet-decoder.js';
import type { Packet, PacketSource } from './packet-source.js';
import { readOpusHead } from './xiph-headers.js';

// What mediabunny prints about odd files belongs in no log: what matters comes as an error or a warning of the decode.
Logging.level = LogLevel.Silent;

/** mediabunny's formats by container; playlists (HLS) are left out on purpose. */
const formats: Readonly<Partial<Record<ContainerName, readonly InputFormat[]>>> = {
  wav: [WAVE],
  ogg: [OGG],
  mp4: [MP4, QTFF],
  mov: [QTFF, MP4],
  mkv: [MATROSKA],
  webm: [WEBM, MATROSKA],
  mpegts: [MPEG_TS],
  adts: [ADTS],
};

/** The first audio track of a container, demuxed by mediabunny. */
export class ContainerReader implements PacketSource {
  private constructor(
    private readonly container: ContainerName,
    private readonly input: Input,
    private readonly track: InputAudioTrack,
    private readonly progress: () => void,
    readonly format: TrackFormat,
    readonly hasVideo: boolean,
    readonly skipFrames: number,
  ) {}

  /** @throws {NeedsFfmpegError} @throws {NoAudioError} @throws {DecodeFailedError} */
  static async open(file: MediaFile): Promise<ContainerReader> {
    const known = formats[file.container];
    if (!known) throw new NeedsFfmpegError(file.container);
    const { source, progress } = guardedSource(file);
    const input = new Input({ formats: [...known], source });
    try {
      const [tracks, videos] = [await input.getAudioTracks(), await input.getVideoTracks()];
      const [track] = tracks;
      if (!track && videos.length === 0) throw new DecodeFailedError('the container has no readable track');
      if (!track) throw new NoAudioError();
      const codec = await track.getCodec();
      if (!codec) throw new NeedsFfmpegError(describeCodec(await track.getInternalCodecId()));
      const format = await trackFormat(track, codec);
      const skipFrames = await delayFrames(track, format);
      return new ContainerReader(
        file.container,
        input,
        track,
        progress,
        format,
        videos.length > 0,
        skipFrames,
      );
    } catch (error) {
      input.dispose();
      throw asMediaError(error);
    }
  }

  async declaredMs(): Promise<number | undefined> {
    // Ogg states its duration in the last page: found by one read at the end.
    const stated =
      this.container === 'ogg' ? this.track.computeDuration() : this.track.getDurationFromMetadata();
    const seconds = await stated.catch(() => null);
    return seconds === null || !Number.isFinite(seconds) ? undefined : seconds * 1_000;
  }

  async *packets(): AsyncGenerator<Packet, void, void> {
    try {
      for await (const packet of new EncodedPacketSink(this.track).packets()) {
        this.progress();
        yield packet;
      }
    } catch (error) {
      throw asMediaError(error);
    }
  }

  close(): void {
    this.input.dispose();
  }
}

/** Encoder delay: the Opus pre-skip, else what an edit list places before zero. */
async function delayFrames(track: InputAudioTrack, format: TrackFormat): Promise<number> {
  if (format.codec === 'opus') return (format.description && readOpusHead(format.description)?.preSkip) ?? 0;
  const first = await track.getFirstTimestamp();
  return first < 0 ? Math.round(-first * format.sampleRateHz) : 0;
}

async function trackFormat(track: InputAudioTrack, codec: AudioCodec): Promise<TrackFormat> {
  const config = await track.getDecoderConfig();
  const description = asBytes(config?.description);
  return {
    codec,
    sampleRateHz: await track.getSampleRate(),
    channels: await track.getNumberOfChannels(),
    ...(description ? { description } : {}),
  };
}

function asBytes(source: unknown): Uint8Array | undefined {
  if (ArrayBuffer.isView(source)) return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  return source instanceof ArrayBuffer ? new Uint8Array(source) : undefined;
}

function describeCodec(id: string | number | Uint8Array | null): string {
  return id === null ? 'an unknown codec' : `codec ${String(id)}`;
}

/** Wraps what mediabunny throws about a broken file. */
export function asMediaError(error: unknown): MediaError {
  if (error instanceof MediaError) return error;
  return new DecodeFailedError(error instanceof Error ? error.message : String(error), { cause: error });
}
