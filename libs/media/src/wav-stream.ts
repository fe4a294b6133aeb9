import { speakersOfMask, type Speaker } from './downmix.js';

/** Format of a WAV stream of 32-bit floats. */
export type WavStreamFormat = Readonly<{
  sampleRateHz: number;
  channels: number;
  speakers: readonly Speaker[];
  /** Offset of the first sample. */
  dataOffset: number;
}>;

/**
 * Reads the header of a WAV stream as FFmpeg writes it to a pipe.
 *
 * @returns undefined while `bytes` ends inside the header
 */
export function readWavStreamFormat(bytes: Uint8Array): WavStreamFormat | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let format: Omit<WavStreamFormat, 'dataOffset'> | undefined;
  for (let at = 12; at + 8 <= bytes.length;) {
    const id = view.getUint32(at);
    const size = view.getUint32(at + 4, true);
    if (id === 0x64617461) return format && { ...format, dataOffset: at + 8 };
    if (at + 8 + size > bytes.length) return undefined;
    if (id === 0x666d7420) {
      const channels = view.getUint16(at + 10, true);
      const mask = size >= 24 ? view.getUint32(at + 28, true) : 0;
      format = {
        sampleRateHz: view.getUint32(at + 12, true),
        channels,
        speakers: speakersOfMask(mask, channels),
      };
    }
    at += 8 + size + (size & 1);
  }
  return undefined;
}
