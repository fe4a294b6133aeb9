import { describe, expect, it } from 'vitest';
import type { Backend } from './backend.js';
import { randomBlocks, richSignal } from './fixtures/rich-signal.js';
import { DspOptionError } from './option-error.js';
import { Resampler } from './resampler.js';

const PAIRS = [
  [44_100, 11_025],
  [48_000, 11_025],
  [48_000, 16_000],
  [44_100, 16_000],
  [22_050, 16_000],
  [8_000, 11_025],
  [44_101, 11_025],
  [96_000, 16_000],
] as const;

function resample(
  fromHz: number,
  toHz: number,
  blocks: Iterable<Float32Array>,
  backend: Backend,
): Float32Array {
  const resampler = new Resampler(fromHz, toHz, backend);
  const parts: Float32Array[] = [];
  for (const block of blocks) parts.push(resampler.process(block).slice());
  parts.push(resampler.flush().slice());
  const output = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    output.set(part, at);
    at += part.length;
  }
  return output;
}

function sine(hz: number, rateHz: number, length: number): Float32Array {
  return Float32Array.from({ length }, (_, n) => Math.sin((2 * Math.PI * hz * n) / rateHz + 0.3));
}

function middle(signal: Float32Array): Float32Array {
  return signal.subarray(Math.floor(signal.length / 4), Math.floor((3 * signal.length) / 4));
}

function peakOf(signal: Float32Array): number {
  return signal.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
}

describe.each(PAIRS)('from %i to %i Hz', (fromHz, toHz) => {
  const nyquistHz = Math.min(fromHz, toHz) / 2;

  it.each([0.02, 0.3, 0.6, 0.9])(
    'keeps level and time of a sine at %f of the lower Nyquist frequency',
    (part) => {
      const output = resample(fromHz, toHz, [sine(nyquistHz * part, fromHz, fromHz)], 'wasm');
      const wanted = sine(nyquistHz * part, toHz, toHz);
      const error = middle(output.map((value, n) => value - wanted[n]));
      // A ripple of 0.1 dB would be an error of 0.0116.
      expect(peakOf(error)).toBeLessThan(0.0005);
    },
  );

  it('takes everything above the lower Nyquist frequency down by more than 80 dB', () => {
    for (const factor of [1.0005, 1.02, 1.1, 1.37, 1.9, 2.6, 3.3, 3.99]) {
      if (nyquistHz * factor >= fromHz / 2) continue;
      const output = resample(fromHz, toHz, [sine(nyquistHz * factor, fromHz, fromHz / 2)], 'wasm');
      expect(20 * Math.log10(peakOf(middle(output)))).toBeLessThan(-80);
    }
  });

  it('leaves no image above the input Nyquist frequency', () => {
    const hz = nyquistHz * 0.8;
    const output = middle(resample(fromHz, toHz, [sine(hz, fromHz, fromHz)], 'wasm'));
    const residue = leastSquaresResidue(output, (2 * Math.PI * hz) / toHz);
    expect(20 * Math.log10(residue)).toBeLessThan(-80);
  });

  it('gives the same bits however the input is cut, in both back ends', () => {
    const signal = richSignal(fromHz, 0.6, 7);
    const whole = resample(fromHz, toHz, [signal], 'wasm');
    expect(resample(fromHz, toHz, randomBlocks(signal, 900, 3), 'wasm')).toEqual(whole);
    expect(resample(fromHz, toHz, randomBlocks(signal, 5000, 4), 'js')).toEqual(whole);
  });

  it.each([0, 1, 7, 1000, 4097, 22_222])('gives round(length * to / from) samples for %i', (length) => {
    const output = resample(fromHz, toHz, [new Float32Array(length)], 'wasm');
    expect(output.length).toBe(Math.round((length * toHz) / fromHz));
  });
});

describe('Resampler', () => {
  it('starts a new stream after flush', () => {
    const signal = richSignal(44_100, 0.3, 1);
    const resampler = new Resampler(44_100, 16_000);
    resampler.process(richSignal(44_100, 0.2, 9));
    resampler.flush();
    const first = resampler.process(signal).slice();
    expect(first).toEqual(new Resampler(44_100, 16_000).process(signal));
  });

  it('passes samples through at equal rates', () => {
    const signal = richSignal(16_000, 0.1, 1);
    const resampler = new Resampler(16_000, 16_000);
    expect(resampler.process(signal)).toBe(signal);
    expect(resampler.flush().length).toBe(0);
  });

  it('refuses rates out of range', () => {
    expect(() => new Resampler(0, 16_000)).toThrow(DspOptionError);
    expect(() => new Resampler(44_100, 11_025.5)).toThrow(DspOptionError);
  });
});

/** RMS of what is left of `signal` once its best fit of one frequency (radians a sample) is taken away. */
function leastSquaresResidue(signal: Float32Array, omega: number): number {
  let [cc, ss, cs, xc, xs] = [0, 0, 0, 0, 0];
  signal.forEach((value, n) => {
    const c = Math.cos(omega * n);
    const s = Math.sin(omega * n);
    cc += c * c;
    ss += s * s;
    cs += c * s;
    xc += value * c;
    xs += value * s;
  });
  const determinant = cc * ss - cs * cs;
  const a = (xc * ss - xs * cs) / determinant;
  const b = (xs * cc - xc * cs) / determinant;
  let energy = 0;
  signal.forEach((value, n) => {
    energy += (value - a * Math.cos(omega * n) - b * Math.sin(omega * n)) ** 2;
  });
  return Math.sqrt(energy / signal.length);
}
