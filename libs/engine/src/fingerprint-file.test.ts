import { describe, expect, it } from 'vitest';
import {
  decodeFingerprintFile,
  encodeFingerprintHeader,
  encodeFingerprintRecord,
  FingerprintFileError,
  type FingerprintRecord,
} from './fingerprint-file.js';

const record = (path: string): FingerprintRecord => ({
  path,
  durationMs: 1234,
  contentHash: 'ab'.repeat(32),
  fingerprintConfigId: 'fp-1',
  peaks: new Uint8Array([1, 2, 3, 250]),
});

const file = (...records: FingerprintRecord[]): Uint8Array =>
  Buffer.concat([encodeFingerprintHeader(), ...records.map(encodeFingerprintRecord)]);

describe('fingerprint file', () => {
  it('gives back what was written', () => {
    const records = [record('a.mp3'), record('目录/b.flac')];
    expect([...decodeFingerprintFile(file(...records))]).toEqual(records);
  });

  it('refuses a file cut at any byte inside a record', () => {
    const whole = file(record('a.mp3'));
    for (let end = 9; end < whole.length; end++) {
      expect(() => [...decodeFingerprintFile(whole.subarray(0, end))]).toThrow(FingerprintFileError);
    }
  });

  it('refuses a flipped bit in any byte', () => {
    const whole = file(record('a.mp3'));
    for (let at = 0; at < whole.length; at++) {
      if (at === 6 || at === 7) continue; // reserved bytes
      const damaged = Uint8Array.from(whole);
      damaged[at] = (damaged[at] ?? 0) ^ 1;
      expect(() => [...decodeFingerprintFile(damaged)], `byte ${at}`).toThrow(FingerprintFileError);
    }
  });
});
