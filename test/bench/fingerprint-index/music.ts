import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodePeaks, encodePeaks, fingerprintConfig, PeakExtractor, type Peaks } from '@earmark/fingerprint';

/** A recording that exists: its file and its peaks at query density. */
export type Music = Readonly<{ path: string; peaks: Peaks }>;

/** Shortest recording that goes into a catalog, frames (20 s). */
const leastFrames = 860;

/**
 * Peaks of every audio file in the folders, in order of path; decoded by FFmpeg once and kept in `cache`. Files that
 * FFmpeg cannot read and those shorter than 20 s are left out.
 */
export function readMusic(folders: readonly string[], cache: string): Music[] {
  mkdirSync(cache, { recursive: true });
  return folders.flatMap(findFiles).flatMap((path) => {
    const peaks = peaksOf(path, cache);
    return peaks.lengthFrames >= leastFrames ? [{ path, peaks }] : [];
  });
}

function findFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(mp3|ogg|oga|opus|flac|m4a|wav)$/i.test(name))
    .sort()
    .map((name) => join(folder, name));
}

function peaksOf(path: string, cache: string): Peaks {
  const stored = join(cache, `${createHash('sha256').update(path).digest('hex').slice(0, 20)}.peaks`);
  if (existsSync(stored)) return decodePeaks(readFileSync(stored));
  const rate = String(fingerprintConfig.sampleRateHz);
  const decode = ['-v', 'error', '-nostdin', '-i', path, '-vn', '-f', 'f32le', '-ac', '1', '-ar', rate, '-'];
  const { stdout } = spawnSync('ffmpeg', decode, { maxBuffer: 2 ** 31 });
  const samples = new Float32Array(stdout.length >> 2);
  new Uint8Array(samples.buffer).set(stdout.subarray(0, samples.byteLength));
  const extractor = new PeakExtractor();
  extractor.push(samples);
  const peaks = extractor.finish();
  writeFileSync(stored, encodePeaks(peaks));
  return peaks;
}
