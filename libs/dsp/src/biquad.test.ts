import { describe, expect, it } from 'vitest';
import { BiquadFilter, kWeighting } from './biquad.js';
import { DspOptionError } from './option-error.js';

function gainDb(sampleRateHz: number, hz: number): number {
  const filter = new BiquadFilter(kWeighting(sampleRateHz));
  const input = Float32Array.from({ length: 2 * sampleRateHz }, (_, n) =>
    Math.sin((2 * Math.PI * hz * n) / sampleRateHz),
  );
  const output = filter.process(input, new Float32Array(input.length)).subarray(sampleRateHz);
  const power = output.reduce((sum, value) => sum + value * value, 0) / output.length;
  return 10 * Math.log10(2 * power);
}

describe('kWeighting', () => {
  it('equals the tables of BS.1770 at 48 kHz', () => {
    const [shelf, pass] = kWeighting(48_000);
    expect(shelf.b0).toBeCloseTo(1.53512485958697, 10);
    expect(shelf.b1).toBeCloseTo(-2.69169618940638, 10);
    expect(shelf.b2).toBeCloseTo(1.19839281085285, 10);
    expect(shelf.a1).toBeCloseTo(-1.69065929318241, 10);
    expect(shelf.a2).toBeCloseTo(0.73248077421585, 10);
    expect(pass.a1).toBeCloseTo(-1.99004745483398, 10);
    expect(pass.a2).toBeCloseTo(0.99007225036621, 10);
  });

  it.each([22_050, 44_100, 96_000])('weighs as at 48 kHz at a rate of %i Hz', (sampleRateHz) => {
    for (const hz of [30, 60, 200, 997, 2000, 5000]) {
      expect(Math.abs(gainDb(sampleRateHz, hz) - gainDb(48_000, hz))).toBeLessThan(0.3);
    }
  });

  it('refuses rates that it cannot serve', () => {
    expect(() => kWeighting(4000)).toThrow(DspOptionError);
  });
});

describe('BiquadFilter', () => {
  it('carries its state from block to block', () => {
    const input = Float32Array.from({ length: 1000 }, (_, n) => Math.sin(n * n));
    const whole = new BiquadFilter(kWeighting(44_100)).process(input, new Float32Array(1000));
    const filter = new BiquadFilter(kWeighting(44_100));
    const parts = [input.subarray(0, 333), input.subarray(333)].flatMap((part) => [
      ...filter.process(part, new Float32Array(part.length)),
    ]);
    expect(Float32Array.from(parts)).toEqual(whole);
  });
});
