import { describe, expect, it } from 'vitest';
import { BandLevels, levelBandHz, levelBands } from './band-levels.js';

function rowsOf(samples: Float32Array, block: number): Float32Array[] {
  const rows: Float32Array[] = [];
  const levels = new BandLevels((row) => rows.push(row.slice()));
  for (let at = 0; at < samples.length; at += block) levels.push(samples.subarray(at, at + block));
  levels.flush();
  return rows;
}

const sine = (hz: number, samples = 16_000) =>
  Float32Array.from({ length: samples }, (_, i) => 0.5 * Math.sin((2 * Math.PI * hz * i) / 16_000));

describe('BandLevels', () => {
  it('gives 100 rows a second, loudest in the band of a tone', () => {
    for (const hz of [100, 440, 3_000]) {
      const rows = rowsOf(sine(hz), 16_000);
      expect(rows.length).toBe(101);
      const middle = rows[50];
      expect(middle.length).toBe(levelBands);
      const loudest = levelBandHz[middle.indexOf(Math.max(...middle))];
      expect(Math.abs(loudest - hz) / hz).toBeLessThan(0.2);
    }
  });

  it('centres row i on i * 10 ms', () => {
    const click = new Float32Array(16_000);
    click[4_000] = 1;
    const loudness = rowsOf(click, 700).map((row) => row.reduce((a, b) => a + b, 0));
    expect(loudness.indexOf(Math.max(...loudness))).toBe(25);
  });

  it('does not depend on the cut of the stream', () => {
    expect(rowsOf(sine(220, 5_000), 77)).toEqual(rowsOf(sine(220, 5_000), 5_000));
  });
});
