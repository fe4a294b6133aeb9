import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Path of a committed file; see fixtures/make-fixtures.sh for what is in it. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(`../../fixtures/${name}`, import.meta.url));
}

/** Bytes of a committed file. */
export async function fixtureBytes(name: string): Promise<Uint8Array> {
  return new Uint8Array(await readFile(fixture(name)));
}

/** A folder for files that a test makes. */
export class ScratchFolder {
  private constructor(private readonly folder: string) {}

  static async make(): Promise<ScratchFolder> {
    return new ScratchFolder(await mkdtemp(join(tmpdir(), 'earmark-media-')));
  }

  /** Writes a file and gives its path. */
  async write(name: string, content: Uint8Array | string): Promise<string> {
    const path = join(this.folder, name);
    await writeFile(path, content);
    return path;
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** How samples lie in a WAV file. */
export type WavSamples = 'u8' | 's16' | 's24' | 's32' | 'f32';
const sampleBytes: Readonly<Record<WavSamples, number>> = { u8: 1, s16: 2, s24: 3, s32: 4, f32: 4 };

/** Makes a WAV file; samples in -1..1, one array a channel. */
export function wavBytes(
  channels: readonly Float32Array[],
  sampleRateHz: number,
  samples: WavSamples,
): Uint8Array {
  const bytes = sampleBytes[samples];
  const frames = channels[0]?.length ?? 0;
  const dataBytes = frames * channels.length * bytes;
  const view = new DataView(new ArrayBuffer(44 + dataBytes));
  view.setUint32(0, 0x52494646);
  view.setUint32(4, 36 + dataBytes, true);
  view.setUint32(8, 0x57415645);
  view.setUint32(12, 0x666d7420);
  view.setUint32(16, 16, true);
  view.setUint16(20, samples === 'f32' ? 3 : 1, true);
  view.setUint16(22, channels.length, true);
  view.setUint32(24, sampleRateHz, true);
  view.setUint32(28, sampleRateHz * channels.length * bytes, true);
  view.setUint16(32, channels.length * bytes, true);
  view.setUint16(34, bytes * 8, true);
  view.setUint32(36, 0x64617461);
  view.setUint32(40, dataBytes, true);
  let at = 44;
  for (let frame = 0; frame < frames; frame++) {
    for (const channel of channels) {
      writeSample(view, at, channel[frame], samples);
      at += bytes;
    }
  }
  return new Uint8Array(view.buffer);
}

function writeSample(view: DataView, at: number, value: number, samples: WavSamples): void {
  switch (samples) {
    case 'u8':
      return view.setUint8(at, Math.round(value * 127) + 128);
    case 's16':
      return view.setInt16(at, Math.round(value * 32_767), true);
    case 's24': {
      const integer = Math.round(value * 8_388_607);
      view.setUint16(at, integer & 0xffff, true);
      return view.setInt8(at + 2, integer >> 16);
    }
    case 's32':
      return view.setInt32(at, Math.round(value * 2_147_483_647), true);
    case 'f32':
      return view.setFloat32(at, value, true);
  }
}

/** A sine tone. */
export function tone(
  frequencyHz: number,
  amplitude: number,
  sampleRateHz: number,
  seconds: number,
): Float32Array {
  return Float32Array.from({ length: Math.round(sampleRateHz * seconds) }, (_, i) => {
    return amplitude * Math.sin((2 * Math.PI * frequencyHz * i) / sampleRateHz);
  });
}

/** Amplitude of a sine component. */
export function amplitudeAt(samples: Float32Array, frequencyHz: number, sampleRateHz: number): number {
  let real = 0;
  let imaginary = 0;
  for (let i = 0; i < samples.length; i++) {
    const phase = (2 * Math.PI * frequencyHz * i) / sampleRateHz;
    real += samples[i] * Math.cos(phase);
    imaginary += samples[i] * Math.sin(phase);
  }
  return (2 * Math.hypot(real, imaginary)) / samples.length;
}
