import { describe, expect, it } from 'vitest';
import { chromaSize, type Chroma } from '../tonal/chroma.js';
import {
  beatPattern,
  patternPlaces,
  patternSize,
  patternSpectrum,
  patternSpectrumSize,
} from './beat-pattern.js';
import { barStarts } from './downbeats.js';
import type { Novelty } from './novelty.js';

const beatFrames = 48;
const beats = Float64Array.from({ length: 24 }, (_, i) => 10 + i * beatFrames);
const silentChroma: Chroma = {
  values: new Float32Array(130 * chromaSize),
  keyHistograms: [],
  frames: 130,
  tuningCents: 0,
};

/** Novelty with one peak at each of the frames, in the given range. */
function noveltyOf(peaks: readonly (readonly [frame: number, range: number])[]): Novelty {
  const frames = 1_300;
  const bands = Array.from({ length: 4 }, () => new Float32Array(frames));
  for (const [frame, range] of peaks) bands[range][frame] = 3;
  return { frames, bands, total: new Float32Array(frames) };
}

describe('beatPattern', () => {
  it('puts what sounds between beats into its place, in every beat alike', () => {
    const half = Array.from(beats, (beat) => [beat + beatFrames / 2, 2] as const);
    const pattern = beatPattern(beats, noveltyOf(half), silentChroma);
    expect(pattern.length).toBe(beats.length * patternSize);
    for (let i = 0; i < beats.length; i++) {
      const row = pattern.subarray(i * patternSize, (i + 1) * patternSize);
      expect(row[(patternPlaces / 2) * 4 + 2]).toBeCloseTo(0.5, 6);
      const onsets = row.subarray(0, 4 * patternPlaces);
      expect(onsets.filter((value) => value > 0).length).toBe(1);
    }
  });
});

describe('patternSpectrum', () => {
  it('tells the cycle of beats in which something comes back, wherever it begins', () => {
    for (const first of [0, 1, 2]) {
      const everyThird = Array.from(beats, (beat, i) => [beat, i % 3 === first ? 0 : 3] as const);
      const spectrum = patternSpectrum(beatPattern(beats, noveltyOf(everyThird), silentChroma));
      expect(spectrum.length).toBe(patternSpectrumSize);
      const cycle = (c: number) => spectrum[(c + 1) * patternSize];
      expect(cycle(1)).toBeCloseTo(0.5 / 3, 3);
      for (const other of [0, 2, 3]) expect(cycle(other)).toBeLessThan(0.01);
    }
  });

  it('is the definition of the Fourier coefficient for fewer beats than a block', () => {
    const n = 7;
    const pattern = Float32Array.from({ length: n * patternSize }, (_, i) => ((i * 37) % 101) / 101);
    const spectrum = patternSpectrum(pattern);
    [2, 3, 4, 8].forEach((cycle, c) => {
      let [re, im] = [0, 0];
      for (let b = 0; b < n; b++) {
        re += pattern[b * patternSize + 5] * Math.cos((2 * Math.PI * b) / cycle);
        im += pattern[b * patternSize + 5] * Math.sin((2 * Math.PI * b) / cycle);
      }
      expect(spectrum[(c + 1) * patternSize + 5]).toBeCloseTo(Math.hypot(re, im) / n, 5);
    });
  });
});

describe('barStarts', () => {
  const logits = (metre: number, first: number) =>
    Float32Array.from({ length: 32 }, (_, i) => (i % metre === first ? 1.5 : -1.5));

  it.each([
    [4, 0],
    [4, 3],
    [3, 1],
    [2, 1],
  ])('finds bars of %d beats that begin at beat %d', (metre, first) => {
    const found = barStarts(logits(metre, first));
    expect(found).toEqual(Array.from({ length: 32 }, (_, i) => i).filter((i) => i % metre === first));
  });

  it('keeps the bar over a beat that does not fit, and gives nothing for no beats', () => {
    const wrong = logits(4, 0);
    wrong[8] = -3;
    wrong[9] = 2;
    expect(barStarts(wrong)).toEqual([0, 4, 8, 12, 16, 20, 24, 28]);
    expect(barStarts(new Float32Array(0))).toEqual([]);
  });
});
