import { describe, expect, it } from 'vitest';
import { KeyNotes, noteWeights } from './key-notes.js';
import { estimateKey, pitchClassNames } from './key.js';
import { lowestNote, noteCount } from './semitone-spectrum.js';

/** What the networks hear of a cadence (I IV V I) round a tonic, every note with five partials. */
function heard(tonic: number, third: 3 | 4): Float64Array[] {
  const notes = new KeyNotes();
  for (const [root, degree] of [
    [0, third],
    [5, third],
    [7, 4],
    [0, third],
  ] as const) {
    const spectrum = new Float32Array(noteCount);
    for (const note of [root - 12, root, root + degree, root + 7]) {
      [0, 12, 19, 24, 28].forEach((above, h) => {
        const at = tonic + note + above - lowestNote;
        if (at < noteCount) spectrum[at] = Math.max(spectrum[at], 1 - 0.12 * h);
      });
    }
    notes.add(spectrum);
  }
  return notes.histograms();
}

describe('estimateKey', () => {
  it.each([3, 4] as const)(
    'moves the key with the notes and keeps its strength, third of %i semitones',
    (third) => {
      const middle = estimateKey({ keyHistograms: heard(60, third) });
      expect(middle).toMatchObject({ tonic: 'C', mode: third === 4 ? 'major' : 'minor' });
      for (const shift of [-5, -2, 2, 4]) {
        const key = estimateKey({ keyHistograms: heard(60 + shift, third) });
        expect(key?.tonic).toBe(pitchClassNames[(12 + shift) % 12]);
        expect(key?.mode).toBe(middle?.mode);
        expect(Math.abs((key?.strength ?? 0) - (middle?.strength ?? 0))).toBeLessThan(0.1);
      }
    },
  );

  it('finds no key where no note sounds', () => {
    const silence = new KeyNotes();
    expect(estimateKey({ keyHistograms: silence.histograms() })).toBeUndefined();
    silence.add(new Float32Array(noteCount));
    expect(estimateKey({ keyHistograms: silence.histograms() })).toBeUndefined();
  });
});

describe('noteWeights', () => {
  it('counts the middle in full and fades to both ends', () => {
    expect(noteWeights).toHaveLength(noteCount);
    expect(noteWeights[40]).toBe(1);
    for (let n = 1; n < 10; n++) {
      expect(noteWeights[n]).toBeGreaterThan(noteWeights[n - 1]);
      expect(noteWeights[noteCount - 1 - n]).toBeGreaterThan(noteWeights[noteCount - n]);
    }
  });
});
