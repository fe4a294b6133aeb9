import { describe, expect, it } from 'vitest';
import { besselI0, hannWindow, kaiserBeta, kaiserWindow } from './window.js';

describe('windows', () => {
  it('makes a periodic Hann window that sums to one at half overlap', () => {
    const window = hannWindow(64);
    expect(window[0]).toBe(0);
    expect(window[32]).toBe(1);
    for (let n = 0; n < 32; n++) expect(window[n] + window[n + 32]).toBeCloseTo(1, 6);
  });

  it('makes a symmetric Kaiser window with 1 in the middle', () => {
    const window = kaiserWindow(21, 8.6);
    expect(window[10]).toBe(1);
    for (let n = 0; n < 10; n++) expect(window[n]).toBeCloseTo(window[20 - n], 7);
    expect(window[0]).toBeCloseTo(1 / besselI0(8.6), 9);
  });

  it('gives the published Bessel values and Kaiser shapes', () => {
    expect(besselI0(0)).toBe(1);
    expect(besselI0(1)).toBeCloseTo(1.2660658777520082, 12);
    expect(besselI0(10) / 2815.716628466254).toBeCloseTo(1, 12);
    expect(kaiserBeta(60)).toBeCloseTo(5.65326, 5);
    expect(kaiserBeta(30)).toBeCloseTo(2.11662, 4);
    expect(kaiserBeta(20)).toBe(0);
  });
});
