import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Resampler } from '@earmark/dsp';
import { PeakExtractor, decodePeaks, encodePeaks, fingerprintConfig, type Peaks } from '@earmark/fingerprint';

/**
 * Decodes a file to mono at the fingerprint's rate: mono 16-bit WAV here, everything else with FFmpeg.
 *
 * @param cacheDir where the samples are kept for the next time; absent: not kept (an hour takes 320 MB)
 */
export function samplesOf(path: string, cacheDir?: string): Float32Array {
  const wav = path.endsWith('.wav') ? monoWav(path) : undefined;
  if (wav) return resample(wav.samples, wav.sampleRateHz);
  const file = cacheDir === undefined ? undefined : join(cacheDir, 'pcm', `${keyOf(path)}.f32`);
  if (file !== undefined && existsSync(file)) return floatsOf(readFileSync(file));
  const rate = String(fingerprintConfig.sampleRateHz);
  const run = spawnSync(
    'ffmpeg',
    ['-v', 'error', '-nostdin', '-i', path, '-vn', '-ac', '1', '-ar', rate, '-f', 'f32le', '-'],
    { maxBuffer: 2 ** 31 },
  );
  if (run.status !== 0) throw new Error(`ffmpeg failed on ${path}: ${run.stderr.toString()}`);
  if (file !== undefined) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, run.stdout);
  }
  return floatsOf(run.stdout);
}

function floatsOf({ buffer, byteOffset, byteLength }: Buffer<ArrayBuffer>): Float32Array {
  return new Float32Array(buffer.slice(byteOffset, byteOffset + (byteLength & ~3)));
}

/** Peaks of a file at query density, through a cache that forgets when the configuration changes. */
export function peaksOf(path: string, cacheDir: string): Peaks {
  const folder = join(
    cacheDir,
    `peaks-${digest(`spectrum ${JSON.stringify(fingerprintConfig)}`).slice(0, 8)}`,
  );
  const file = join(folder, `${keyOf(path)}.peaks`);
  if (existsSync(file)) return decodePeaks(readFileSync(file));
  const extractor = new PeakExtractor();
  extractor.push(samplesOf(path));
  const peaks = extractor.finish();
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, encodePeaks(peaks));
  return peaks;
}

function keyOf(path: string): string {
  const { size, mtimeMs } = statSync(path);
  return digest(`${path} ${size} ${mtimeMs}`);
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 20);
}

/** Reads a WAV file if it has one channel of 16-bit samples. */
function monoWav(path: string): { samples: Float32Array; sampleRateHz: number } | undefined {
  const bytes = readFileSync(path);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let sampleRateHz = 0;
  for (let at = 12; at + 8 <= bytes.length;) {
    const id = bytes.toString('latin1', at, at + 4);
    const size = view.getUint32(at + 4, true);
    if (id === 'fmt ') {
      if (view.getUint16(at + 10, true) !== 1 || view.getUint16(at + 22, true) !== 16) return undefined;
      sampleRateHz = view.getUint32(at + 12, true);
    }
    if (id === 'data') {
      const count = Math.min(size, bytes.length - at - 8) >> 1;
      return {
        samples: Float32Array.from({ length: count }, (_, i) => view.getInt16(at + 8 + 2 * i, true) / 32_768),
        sampleRateHz,
      };
    }
    at += 8 + size + (size & 1);
  }
  return undefined;
}

function resample(samples: Float32Array, fromHz: number): Float32Array {
  const resampler = new Resampler(fromHz, fingerprintConfig.sampleRateHz);
  const parts = [resampler.process(samples).slice(), resampler.flush().slice()];
  const out = new Float32Array(parts[0].length + parts[1].length);
  out.set(parts[0]);
  out.set(parts[1], parts[0].length);
  return out;
}
