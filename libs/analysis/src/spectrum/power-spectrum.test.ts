import { describe, expect, it } from 'vitest';
import { seededRandom } from '@earmark/kernel';
import { PowerSpectrum } from './power-spectrum.js';

describe('PowerSpectrum', () => {
  it.each([4, 8, 64, 256])('agrees with the definition of the transform for %d samples', (size) => {
    const random = seededRandom(size);
    const frame = Float64Array.from({ length: size }, () => random.next() - 0.5);
    const power = new Float64Array(size / 2 + 1);
    new PowerSpectrum(size).power(frame, power);
    for (let k = 0; k <= size / 2; k++) {
      let [re, im] = [0, 0];
      for (let n = 0; n < size; n++) {
        re += frame[n] * Math.cos((2 * Math.PI * k * n) / size);
        im -= frame[n] * Math.sin((2 * Math.PI * k * n) / size);
      }
      expect(power[k]).toBeCloseTo(re * re + im * im, 9);
    }
  });
});
