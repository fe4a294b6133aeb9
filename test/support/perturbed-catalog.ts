import {
  decodeFingerprintFile,
  encodeFingerprintHeader,
  encodeFingerprintRecord,
  type FingerprintRecord,
} from '@earmark/engine';
import { decodePeaks, encodePeaks, fingerprintConfig, framesToMs, type Peaks } from '@earmark/fingerprint';
import { type Random, seededRandom } from '@earmark/kernel';
import { createHash } from 'node:crypto';
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';

/**
 * Writes a fingerprint file that fills a catalog beyond the music that exists: copies of real peaks, each transposed by
 * 2 to 8 semitones, stretched by 12 to 30 % and jittered, so that no copy is a true answer to its original.
 *
 * @param source fingerprint file of real music
 * @param hours how much to write
 * @returns hours written
 */
export function writePerturbedCatalog(source: string, target: string, hours: number, seed: number): number {
  const random = seededRandom(seed);
  const originals = [...decodeFingerprintFile(readFileSync(source))];
  const out = openSync(target, 'w');
  let writtenMs = 0;
  try {
    writeSync(out, encodeFingerprintHeader());
    for (let n = 0; writtenMs < hours * 3_600_000; n++) {
      const original = originals[n % originals.length];
      if (original === undefined) throw new Error(`${source} holds no fingerprints`);
      const copy = perturbed(original, n, random);
      writeSync(out, encodeFingerprintRecord(copy));
      writtenMs += copy.durationMs;
    }
  } finally {
    closeSync(out);
  }
  return writtenMs / 3_600_000;
}

function perturbed(record: FingerprintRecord, n: number, random: Random): FingerprintRecord {
  const sign = (): number => (random.next() < 0.5 ? -1 : 1);
  const steps = (sign() * (2 + 6 * random.next()) * fingerprintConfig.stepsPerOctave) / 12;
  const stretch = 1 + sign() * (0.12 + 0.18 * random.next());
  const peaks = decodePeaks(record.peaks);
  const order = [...peaks.frames.keys()]
    .map((i) => ({
      i,
      frame: Math.max(0, (peaks.frames[i] ?? 0) * stretch + random.next() - 0.5),
      pitch: (peaks.pitches[i] ?? 0) + steps + (random.next() - 0.5) / 2,
    }))
    .filter(({ pitch }) => pitch >= 0 && pitch < 160)
    .sort((a, b) => a.frame - b.frame);
  const moved: Peaks = {
    frames: Float32Array.from(order, ({ frame }) => frame),
    pitches: Float32Array.from(order, ({ pitch }) => pitch),
    levels: Float32Array.from(order, ({ i }) => peaks.levels[i] ?? 0),
    ranks: Uint8Array.from(order, ({ i }) => peaks.ranks[i] ?? 0),
    lengthFrames: Math.ceil(peaks.lengthFrames * stretch) + 1,
  };
  const path = `perturbed/${n}-${record.path}`;
  return {
    ...record,
    path,
    durationMs: framesToMs(moved.lengthFrames),
    contentHash: createHash('sha256').update(path).digest('hex'),
    peaks: encodePeaks(moved),
  };
}
