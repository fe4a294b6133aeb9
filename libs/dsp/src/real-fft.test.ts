import { ShapeError } from '@earmark/kernel';
import { describe, expect, it } from 'vitest';
import { seededNoise } from './fixtures/rich-signal.js';
import { DspOptionError } from './option-error.js';
import { fftReal, RealFft } from './real-fft.js';

describe('fftReal', () => {
  it.each([4, 8, 16, 32, 64, 128, 256, 512])('equals the sum of its definition for %i values', (size) => {
    const noise = seededNoise(size);
    const input = Float64Array.from({ length: size }, noise);
    const { re, im } = fftReal(input);
    for (let k = 0; k <= size / 2; k++) {
      let sumRe = 0;
      let sumIm = 0;
      input.forEach((value, n) => {
        sumRe += value * Math.cos((2 * Math.PI * k * n) / size);
        sumIm -= value * Math.sin((2 * Math.PI * k * n) / size);
      });
      expect(re[k]).toBeCloseTo(sumRe, 10);
      expect(im[k]).toBeCloseTo(sumIm, 10);
    }
  });

  it('keeps the energy of a long input (Parseval)', () => {
    const noise = seededNoise(1);
    const input = Float64Array.from({ length: 65_536 }, noise);
    const { re, im } = new RealFft(65_536).forward(input);
    let energy = re[0] ** 2 + re[32_768] ** 2;
    for (let k = 1; k < 32_768; k++) energy += 2 * (re[k] ** 2 + im[k] ** 2);
    expect(energy / 65_536).toBeCloseTo(
      input.reduce((sum, value) => sum + value * value, 0),
      6,
    );
  });

  it('refuses lengths that do not fit', () => {
    expect(() => fftReal([1, 2, 3])).toThrow(DspOptionError);
    expect(() => new RealFft(8).forward([1, 2])).toThrow(ShapeError);
  });
});
