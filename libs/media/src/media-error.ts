import { DomainError } from '@earmark/kernel';

/** Why a file gave no audio; stable, machine-readable. */
export type MediaErrorCode =
  | 'media.not-found'
  | 'media.empty'
  | 'media.not-media'
  | 'media.playlist'
  | 'media.external-reference'
  | 'media.no-audio'
  | 'media.zero-duration'
  | 'media.truncated'
  | 'media.too-long'
  | 'media.codec-needs-ffmpeg'
  | 'media.stalled'
  | 'media.aborted'
  | 'media.decode-failed';

/** Base of every error of this library. */
export abstract class MediaError extends DomainError {
  abstract override readonly code: MediaErrorCode;
}

/** The path names nothing that can be opened as a regular file. */
export class MediaNotFoundError extends MediaError {
  readonly code = 'media.not-found';

  constructor(
    readonly path: string,
    options?: ErrorOptions,
  ) {
    super(`${path}: no readable file`, options);
  }
}

/** The file has 0 bytes. */
export class EmptyMediaError extends MediaError {
  readonly code = 'media.empty';

  constructor() {
    super('the file is empty');
  }
}

/** The content is no media container that Earmark reads. `byteOffset` is where it stopped looking like one. */
export class NotMediaError extends MediaError {
  readonly code = 'media.not-media';

  constructor(
    readonly found: string,
    readonly byteOffset = 0,
  ) {
    super(`not audio or video: ${found} (byte ${byteOffset})`);
  }
}

/** The content is a list of other media (M3U, PLS, CUE, SDP, MPD ...), whatever its file name says. */
export class PlaylistError extends MediaError {
  readonly code = 'media.playlist';

  constructor(readonly playlist: string) {
    super(`a ${playlist} playlist, not media`);
  }
}

/** The container points at audio in another file or on another host. */
export class ExternalReferenceError extends MediaError {
  readonly code = 'media.external-reference';

  constructor(readonly byteOffset: number) {
    super(`the media data lie in another file (byte ${byteOffset})`);
  }
}

/** A container without an audio track. */
export class NoAudioError extends MediaError {
  readonly code = 'media.no-audio';

  constructor() {
    super('no audio track');
  }
}

/** An audio track without one sample. */
export class ZeroDurationError extends MediaError {
  readonly code = 'media.zero-duration';

  constructor() {
    super('the audio track has no samples');
  }
}

/** The file ends before its first sample. */
export class TruncatedMediaError extends MediaError {
  readonly code = 'media.truncated';

  constructor(
    readonly bytes: number,
    options?: ErrorOptions,
  ) {
    super(`the file ends at byte ${bytes}, before any audio`, options);
  }
}

/** More audio than the caller accepts. */
export class TooLongError extends MediaError {
  readonly code = 'media.too-long';

  constructor(
    readonly durationMs: number,
    readonly limitMs: number,
  ) {
    super(`${Math.round(durationMs)} ms of audio, limit ${limitMs} ms`);
  }
}

/** Without FFmpeg there is no decoder for this codec or container. */
export class NeedsFfmpegError extends MediaError {
  readonly code = 'media.codec-needs-ffmpeg';

  constructor(readonly codec: string) {
    super(`${codec} can only be decoded with FFmpeg, which is not installed`);
  }
}

/** No block arrived within the stall limit. */
export class StalledError extends MediaError {
  readonly code = 'media.stalled';

  constructor(readonly limitMs: number) {
    super(`no audio for ${limitMs} ms`);
  }
}

/** The caller's signal ended the decode. */
export class AbortedError extends MediaError {
  readonly code = 'media.aborted';

  constructor(options?: ErrorOptions) {
    super('the decode was cancelled', options);
  }
}

/** The decoder gave up without one sample; `detail` is what it said. */
export class DecodeFailedError extends MediaError {
  readonly code = 'media.decode-failed';

  constructor(
    readonly detail: string,
    options?: ErrorOptions,
  ) {
    super(`cannot be decoded: ${detail}`, options);
  }
}

/** @throws {AbortedError} if the signal is aborted */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new AbortedError({ cause: signal.reason });
}

/**
 * Says why a decode ended without one sample.
 *
 * @param bytes size of the file
 * @param cut what is missing at its end, if anything
 * @param complaints what the decoder said
 */
export function nothingDecoded(
  bytes: number,
  cut: string | undefined,
  complaints: readonly string[],
): MediaError {
  if (cut !== undefined) return new TruncatedMediaError(bytes);
  return complaints.length > 0 ? new DecodeFailedError(complaints.join('; ')) : new ZeroDurationError();
}
