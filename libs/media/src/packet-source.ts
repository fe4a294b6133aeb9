import type { TrackFormat } from './packet-decoder.js';

/** One encoded packet; times in seconds on the track's own clock. */
export type Packet = Readonly<{ data: Uint8Array; timestamp: number; duration: number }>;

/** The first audio track of a file, as packets in decoding order. */
export interface PacketSource {
  readonly format: TrackFormat;
  readonly hasVideo: boolean;
  /** Frames of encoder and decoder delay to drop from the start of the PCM. */
  readonly skipFrames: number;
  /** Declared duration in milliseconds, undefined where the file does not say. */
  declaredMs(): Promise<number | undefined>;
  /** Reads on demand. @throws {MediaError} */
  packets(): AsyncGenerator<Packet, void, void>;
  close(): void;
}
