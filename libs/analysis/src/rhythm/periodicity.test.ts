import { describe, expect, it } from 'vitest';
import { seededRandom } from '@earmark/kernel';
import type { Novelty } from './novelty.js';
import { longestLag, periodicityOf } from './periodicity.js';

function noise(frames: number): Novelty {
  const random = seededRandom(4);
  const bands = [0, 1].map(() => Float32Array.from({ length: frames }, () => random.next()));
  return { frames, bands, total: new Float32Array(frames) };
}

/** The definition: smoothed, freed of the mean, multiplied with itself `lag` frames later. */
function direct({ frames, bands }: Novelty, lag: number): number {
  return bands.reduce((sum, band) => {
    const mean = band.reduce((all, value) => all + value / frames, 0);
    const x = Array.from(
      band,
      (v, i) => 0.25 * (band[i - 1] ?? 0) + 0.5 * v + 0.25 * (band[i + 1] ?? 0) - mean,
    );
    let product = 0;
    for (let i = lag; i < frames; i++) product += x[i] * x[i - lag];
    return sum + product / (frames - lag) ** 0.5;
  }, 0);
}

describe('periodicityOf', () => {
  it.each([300, 1_200])('is the autocorrelation of the bands of %i frames, 1 at lag 0', (frames) => {
    const novelty = noise(frames);
    const { mean } = periodicityOf(novelty);
    const zero = direct(novelty, 0);
    for (const lag of [0, 1, 57, 240, longestLag]) {
      expect(mean[lag]).toBeCloseTo(lag < frames ? direct(novelty, lag) / zero : 0, 5);
    }
  });

  it('is 0 in silence', () => {
    const silent = { frames: 500, bands: [new Float32Array(500)], total: new Float32Array(500) };
    expect(periodicityOf(silent).mean.every((value) => value === 0)).toBe(true);
  });
});
