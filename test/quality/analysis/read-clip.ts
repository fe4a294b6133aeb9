import { closeSync, openSync, readSync } from 'node:fs';

const rateHz = 16_000;

/** A part of a file of raw mono PCM at 16 kHz: `start` and `seconds` in seconds. */
export type ClipPlace = Readonly<{ path: string; format: 's16' | 'f32'; start: number; seconds: number }>;

/** Reads a clip; shorter if the file ends. */
export function readClip({ path, format, start, seconds }: ClipPlace): Float32Array {
  const width = format === 's16' ? 2 : 4;
  const bytes = Buffer.alloc(Math.round(seconds * rateHz) * width);
  const file = openSync(path, 'r');
  const got = readSync(file, bytes, 0, bytes.length, Math.round(start * rateHz) * width);
  closeSync(file);
  return Float32Array.from({ length: Math.floor(got / width) }, (_, i) =>
    width === 2 ? bytes.readInt16LE(2 * i) / 32_768 : bytes.readFloatLE(4 * i),
  );
}
