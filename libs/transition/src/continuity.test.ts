import { seededRandom } from '@earmark/kernel';
import { describe, expect, it } from 'vitest';
import { continuitySize, describeContinuity } from './continuity.js';

const rateHz = 16_000;

/** Tones with their own phases under some noise. */
function tones(seed: number, seconds: number): Float32Array {
  const random = seededRandom(seed);
  const parts = Array.from({ length: 6 }, () => ({
    hz: 80 + 900 * random.next(),
    phase: 2 * Math.PI * random.next(),
  }));
  return Float32Array.from({ length: seconds * rateHz }, (_, i) => {
    const sum = parts.reduce(
      (total, { hz, phase }) => total + Math.sin((2 * Math.PI * hz * i) / rateHz + phase),
      0,
    );
    return 0.05 * sum + 0.002 * (random.next() - 0.5);
  });
}

function compare(tail: Float32Array, head: Float32Array): number {
  const [a, b] = [new Float32Array(continuitySize), new Float32Array(continuitySize)];
  describeContinuity(tail, 'tail', a);
  describeContinuity(head, 'head', b);
  return a.reduce((sum, value, i) => sum + value * b[i], 0);
}

describe('describeContinuity', () => {
  const sound = tones(1, 3);
  const [before, after] = [sound.subarray(0, rateHz), sound.subarray(rateHz, 2 * rateHz)];

  it('knows the place where a sound was cut in two, whatever its level', () => {
    expect(compare(before, after)).toBeGreaterThan(0.9);
    expect(
      compare(
        before,
        after.map((value) => 0.2 * value),
      ),
    ).toBeGreaterThan(0.9);
  });

  it('sees no continuation 3 ms later, nor in another sound', () => {
    expect(compare(before, sound.subarray(rateHz + 48, 2 * rateHz))).toBeLessThan(0.6);
    for (let seed = 2; seed < 8; seed++)
      expect(compare(before, tones(seed, 1).subarray(4_000))).toBeLessThan(0.6);
  });

  it('gives zeros for silence and finite values for a click', () => {
    expect(compare(new Float32Array(rateHz), new Float32Array(rateHz))).toBe(0);
    const click = new Float32Array(rateHz);
    click[rateHz - 1] = 1;
    expect(compare(click, after)).toBeLessThan(1);
  });
});
