import { openMediaDecoder } from '@earmark/media';
import { writeFileSync } from 'node:fs';

/**
 * Writes mono samples as a 16-bit WAV file.
 *
 * @param samples -1..1
 */
export function writeWav(path: string, samples: Float32Array, sampleRateHz: number): void {
  const bytes = Buffer.alloc(44 + samples.length * 2);
  bytes.write('RIFF', 0);
  bytes.writeUInt32LE(36 + samples.length * 2, 4);
  bytes.write('WAVEfmt ', 8);
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(1, 22);
  bytes.writeUInt32LE(sampleRateHz, 24);
  bytes.writeUInt32LE(sampleRateHz * 2, 28);
  bytes.writeUInt16LE(2, 32);
  bytes.writeUInt16LE(16, 34);
  bytes.write('data', 36);
  bytes.writeUInt32LE(samples.length * 2, 40);
  for (let i = 0; i < samples.length; i++) {
    bytes.writeInt16LE(Math.round(Math.max(-1, Math.min(1, samples[i] ?? 0)) * 32767), 44 + i * 2);
  }
  writeFileSync(path, bytes);
}

/**
 * Writes the same samples into each of several channels, as a WAV file of 24 bits.
 *
 * @param samples -1..1
 */
export function writeWideWav(
  path: string,
  samples: Float32Array,
  sampleRateHz: number,
  channels: number,
): void {
  const frameBytes = 3 * channels;
  const bytes = Buffer.alloc(68 + samples.length * frameBytes);
  bytes.write('RIFF', 0);
  bytes.writeUInt32LE(bytes.length - 8, 4);
  bytes.write('WAVEfmt ', 8);
  bytes.writeUInt32LE(40, 16);
  bytes.writeUInt16LE(0xfffe, 20);
  bytes.writeUInt16LE(channels, 22);
  bytes.writeUInt32LE(sampleRateHz, 24);
  bytes.writeUInt32LE(sampleRateHz * frameBytes, 28);
  bytes.writeUInt16LE(frameBytes, 32);
  bytes.writeUInt16LE(24, 34);
  bytes.writeUInt16LE(22, 36);
  bytes.writeUInt16LE(24, 38);
  bytes.writeUInt32LE(2 ** channels - 1, 40);
  Buffer.from('0100000000001000800000aa00389b71', 'hex').copy(bytes, 44);
  bytes.write('data', 60);
  bytes.writeUInt32LE(samples.length * frameBytes, 64);
  for (let i = 0; i < samples.length; i++) {
    const value = Math.round(Math.max(-1, Math.min(1, samples[i] ?? 0)) * 8_388_607);
    for (let channel = 0; channel < channels; channel++)
      bytes.writeIntLE(value, 68 + i * frameBytes + 3 * channel, 3);
  }
  writeFileSync(path, bytes);
}

/** Decodes a stretch of a file to mono, without FFmpeg. */
export async function excerpt(
  path: string,
  startMs: number,
  lengthMs: number,
): Promise<{ samples: Float32Array; sampleRateHz: number }> {
  const decoder = await openMediaDecoder({ prefer: 'wasm' });
  let out = new Float32Array(0);
  let rate = 0;
  for await (const { sampleRateHz, channels, startFrame } of decoder.decode(path)) {
    rate = sampleRateHz;
    const first = Math.round((startMs / 1000) * sampleRateHz);
    const length = Math.round((lengthMs / 1000) * sampleRateHz);
    if (out.length === 0) out = new Float32Array(length);
    const [left] = channels;
    if (left === undefined || startFrame >= first + length) break;
    for (let i = Math.max(0, first - startFrame); i < left.length && startFrame + i < first + length; i++) {
      out[startFrame + i - first] =
        channels.reduce((sum, channel) => sum + (channel[i] ?? 0), 0) / channels.length;
    }
  }
  return { samples: out, sampleRateHz: rate };
}
