import type { AudioCodec } from 'mediabunny';
import type { Speaker } from './downmix.js';

/** Format of a track as its container states it. */
export type TrackFormat = Readonly<{
  codec: AudioCodec;
  sampleRateHz: number;
  channels: number;
  /** Codec-specific header of the container, where the codec has one. */
  description?: Uint8Array;
}>;

/** PCM of a run of packets: one array a channel, all channels of the stream. */
export type DecodedPackets = Readonly<{ channels: readonly Float32Array[]; errors: number }>;

/** Turns the packets of one track into PCM, in their order. */
export interface PacketDecoder {
  /** Rate of the PCM; Opus always gives 48,000. */
  readonly sampleRateHz: number;
  readonly speakers: readonly Speaker[];
  /** Decodes consecutive packets. Damaged ones are left out and counted. */
  decode(packets: readonly Uint8Array[]): Promise<DecodedPackets>;
  free(): void;
}
