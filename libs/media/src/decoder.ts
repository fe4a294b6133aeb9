/** What a media file says about its first audio track. */
export type MediaInfo = Readonly<{
  /** Short container name: `wav mp3 flac ogg mp4 mkv webm mov mpegts adts`. */
  container: string;
  /** Short codec name: `pcm mp3 aac flac vorbis opus alac ...`. */
  codec: string;
  sampleRateHz: number;
  channels: number;
  /** Declared duration; absent where the file does not say. */
  durationMs?: number;
  bytes: number;
  hasVideo: boolean;
}>;

/** Consecutive PCM of one file at the file's own rate, samples in -1..1, one array a channel (1 or 2). */
export type PcmBlock = Readonly<{
  sampleRateHz: number;
  channels: readonly Float32Array[];
  /** Index of the first sample frame since the start of the audio. */
  startFrame: number;
}>;

/** How a decode ended. `partial` is true when less came out than the file declares; `warnings` say why. */
export type DecodeSummary = Readonly<{
  decodedMs: number;
  partial: boolean;
  warnings: readonly string[];
}>;

/** Limits and cancellation of one probe or decode. */
export type DecodeOptions = Readonly<{
  signal?: AbortSignal;
  /** Longest audio accepted; past it `media.too-long`. Default 13 h. */
  maxDurationMs?: number;
  /** Longest wait for the next block; past it `media.stalled`. Default 30 s. */
  stallTimeoutMs?: number;
}>;

/** Turns files into PCM. Adapters: FFmpeg as a child process; WASM and TypeScript. */
export interface MediaDecoder {
  /** `ffmpeg`, `wasm`, or `auto` for both together. */
  readonly name: string;
  /**
   * Reads headers only.
   *
   * @throws {MediaError} with a `media.*` code
   */
  probe(path: string, options?: DecodeOptions): Promise<MediaInfo>;
  /**
   * Decodes the first audio track in blocks of at most about one second, on demand (back-pressure); returning early
   * from the loop or aborting the signal ends the decoder.
   *
   * @throws {MediaError} with a `media.*` code
   */
  decode(path: string, options?: DecodeOptions): AsyncGenerator<PcmBlock, DecodeSummary, void>;
}
