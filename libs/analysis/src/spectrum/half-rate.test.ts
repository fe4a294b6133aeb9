import { describe, expect, it } from 'vitest';
import { HalfRate } from './half-rate.js';

function halved(input: Float32Array, block: number): Float32Array {
  const out: number[] = [];
  const half = new HalfRate((samples) => out.push(...samples));
  for (let at = 0; at < input.length; at += block) half.push(input.subarray(at, at + block));
  half.flush();
  return Float32Array.from(out);
}

function sine(cyclesPerSample: number, length = 3_000): Float32Array {
  return Float32Array.from({ length }, (_, i) => Math.sin(2 * Math.PI * cyclesPerSample * i));
}

describe('HalfRate', () => {
  it('keeps every second sample of what lies under a fifth of the rate', () => {
    for (const f of [0.01, 0.1, 0.2]) {
      const input = sine(f);
      const out = halved(input, 777);
      expect(out.length).toBeGreaterThanOrEqual(1_500);
      for (let i = 50; i < 1_450; i++) expect(Math.abs(out[i] - input[2 * i])).toBeLessThan(0.012);
    }
  });

  it('removes what would fold back', () => {
    for (const f of [0.3, 0.4, 0.49]) {
      const inner = halved(sine(f), 4_000).subarray(50, 1_450);
      expect(Math.max(...inner.map(Math.abs))).toBeLessThan(0.002);
    }
  });

  it('does not depend on the cut of the stream', () => {
    expect(halved(sine(0.07), 1)).toEqual(halved(sine(0.07), 5_000));
  });
});
