import { DomainError } from '@earmark/kernel';
import { assertKnownFingerprint, fingerprintConfig } from './config.js';
import { quantum } from './peak-extractor.js';
import type { Peaks } from './peaks.js';
import { spectrumBins } from './spectrum.js';

const magic = 0x4b504d45;
const codecVersion = 1;
const headerBytes = 16;
const levelOffset = 100;

/** Bytes that are not an encoded peak list, or a damaged one. */
export class BadPeaksError extends DomainError {
  readonly code = 'fingerprint.bad-peaks';

  constructor(
    readonly reason: string,
    readonly byteOffset: number,
  ) {
    super(`peaks cannot be read: ${reason} at byte ${byteOffset}`);
  }
}

/**
 * Packs peaks without loss: a 16-byte header (magic `EMPK`, codec version, configuration version, peak count, length in
 * frames; little endian), then 4 bytes a peak: time since the previous peak in 1/8 frames as a varint, and 24 bits with
 * pitch (13, 1/32 step), level (7, dB + 100) and rank (4). A query's spectrum, where there is one (byte 6 is 1), follows.
 */
export function encodePeaks(peaks: Peaks): Uint8Array {
  const count = peaks.frames.length;
  const spectrum = peaks.spectrum ?? new Uint8Array(0);
  const bytes = new Uint8Array(headerBytes + count * 8 + spectrum.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, magic, true);
  view.setUint8(4, codecVersion);
  view.setUint8(5, fingerprintConfig.version);
  view.setUint8(6, peaks.spectrum ? 1 : 0);
  view.setUint32(8, count, true);
  view.setUint32(12, peaks.lengthFrames, true);
  let at = headerBytes;
  let previous = 0;
  for (let i = 0; i < count; i++) {
    const time = Math.round(peaks.frames[i] / quantum.frame);
    let delta = time - previous;
    previous = time;
    while (delta > 127) {
      bytes[at++] = (delta & 127) | 128;
      delta >>>= 7;
    }
    bytes[at++] = delta;
    const pitch = Math.min(8191, Math.round(peaks.pitches[i] / quantum.pitch));
    const level = Math.max(0, Math.min(127, Math.round(peaks.levels[i]) + levelOffset));
    const packed = pitch | (level << 13) | (Math.min(15, peaks.ranks[i]) << 20);
    bytes[at++] = packed & 255;
    bytes[at++] = (packed >> 8) & 255;
    bytes[at++] = packed >> 16;
  }
  bytes.set(spectrum, at);
  return bytes.slice(0, at + spectrum.length);
}

/**
 * Reads what {@link encodePeaks} wrote.
 *
 * @throws {BadPeaksError} if the bytes are something else, cut or damaged in structure
 * @throws {UnknownFingerprintError} if another configuration made them
 */
export function decodePeaks(bytes: Uint8Array): Peaks {
  if (bytes.length < headerBytes) throw new BadPeaksError('shorter than its header', bytes.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== magic) throw new BadPeaksError('wrong magic number', 0);
  if (view.getUint8(4) !== codecVersion)
    throw new BadPeaksError(`unknown codec version ${view.getUint8(4)}`, 4);
  assertKnownFingerprint(fingerprintConfig.id, view.getUint8(5));
  const count = view.getUint32(8, true);
  const lengthFrames = view.getUint32(12, true);
  if (count * 4 > bytes.length - headerBytes) throw new BadPeaksError(`${count} peaks announced`, 8);
  const frames = new Float32Array(count);
  const pitches = new Float32Array(count);
  const levels = new Float32Array(count);
  const ranks = new Uint8Array(count);
  let at = headerBytes;
  let time = 0;
  for (let i = 0; i < count; i++) {
    let shift = 0;
    let byte = 128;
    while (byte > 127 && shift < 35) {
      byte = bytes[at++] ?? 0;
      time += (byte & 127) * 2 ** shift;
      shift += 7;
    }
    if (at + 3 > bytes.length) throw new BadPeaksError('cut inside a peak', bytes.length);
    const packed = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16);
    at += 3;
    frames[i] = time * quantum.frame;
    pitches[i] = (packed & 8191) * quantum.pitch;
    levels[i] = ((packed >> 13) & 127) - levelOffset;
    ranks[i] = packed >> 20;
  }
  const spectrumBytes = view.getUint8(6) === 1 ? lengthFrames * spectrumBins : 0;
  if (at + spectrumBytes !== bytes.length) throw new BadPeaksError('bytes after the last peak', at);
  const peaks = { frames, pitches, levels, ranks, lengthFrames };
  return spectrumBytes > 0 ? { ...peaks, spectrum: bytes.slice(at) } : peaks;
}
