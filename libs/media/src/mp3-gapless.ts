import type { MpegAudioHeader } from './mpeg-audio-header.js';

/** What the information frame at the start of an MP3 file says. */
export type Gapless = Readonly<{
  /** PCM frames before the audio: encoder delay plus the decoder's 529; 0 where the encoder does not say. */
  startFrames: number;
  /** PCM frames of audio; undefined where the frame count is missing. */
  audioFrames?: number;
}>;

const decoderDelay = 529;

/**
 * Reads a Xing or Info frame with its LAME extension.
 *
 * @param bytes starts with the first frame
 * @returns undefined if the first frame is audio
 */
export function readGapless(bytes: Uint8Array, first: MpegAudioHeader): Gapless | undefined {
  const mpeg1 = first.frameSamples === 1_152 && first.identity.startsWith('3/3');
  const sideInfo = mpeg1 ? (first.channels === 1 ? 17 : 32) : first.channels === 1 ? 9 : 17;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = 4 + sideInfo;
  if (first.frameBytes > bytes.length || at + 8 > first.frameBytes) return undefined;
  const mark = text(bytes, at, 4);
  if (mark !== 'Xing' && mark !== 'Info') return undefined;
  const flags = view.getUint32(at + 4);
  let next = at + 8;
  let frames: number | undefined;
  if (flags & 1) {
    frames = view.getUint32(next);
    next += 4;
  }
  next += (flags & 2 ? 4 : 0) + (flags & 4 ? 100 : 0) + (flags & 8 ? 4 : 0);
  const known = next + 24 <= first.frameBytes && /^(LAME|Lavf|Lavc)/.test(text(bytes, next, 4));
  const delay = known ? (bytes[next + 21] << 4) | (bytes[next + 22] >> 4) : 0;
  const padding = known ? ((bytes[next + 22] & 15) << 8) | bytes[next + 23] : 0;
  const startFrames = known ? delay + decoderDelay : 0;
  if (frames === undefined || frames === 0) return { startFrames };
  return { startFrames, audioFrames: Math.max(0, frames * first.frameSamples - delay - padding) };
}

function text(bytes: Uint8Array, start: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(start, start + length));
}
