import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { randomBlocks, richSignal, seededNoise } from './fixtures/rich-signal.js';
import { LogMel, type LogMelOptions } from './log-mel.js';
import { DspOptionError } from './option-error.js';
import { fftReal } from './real-fft.js';

function compute(
  blocks: Iterable<Float32Array>,
  backend: 'js' | 'wasm',
  options: Partial<LogMelOptions> = {},
): Float32Array {
  const logMel = new LogMel(options, backend);
  const parts: number[] = [];
  for (const block of blocks) parts.push(...logMel.process(block));
  parts.push(...logMel.flush());
  return Float32Array.from(parts);
}

/** The signal that training/golden/front-end.json describes. */
function goldenSignal(): Float32Array {
  const noise = seededNoise(12_345);
  return Float32Array.from({ length: 32_000 }, (_, n) => {
    const t = n / 16_000;
    return (
      0.3 * Math.sin(2 * Math.PI * (110 * t + 300 * t * t)) +
      0.2 * Math.sin(2 * Math.PI * 1234.5 * t) * (0.5 + 0.5 * Math.sin(2 * Math.PI * 3 * t)) +
      0.05 * noise()
    );
  });
}

type Golden = { firstSamples: number[]; logMel: { shape: [number, number]; base64: string } };

const VARIANTS: readonly Partial<LogMelOptions>[] = [
  {},
  { hopSamples: 160, blockFrames: 7 },
  { melScale: 'slaney', melNorm: 'slaney', power: 1, log: 'db', windowSamples: 512, fMinHz: 0 },
  { fftSize: 1024, windowSamples: 402, hopSamples: 900, melBands: 128, log: 'log10' },
];

describe('LogMel', () => {
  it.each(['js', 'wasm'] as const)('equals the golden vectors of training within 1e-4 (%s)', (backend) => {
    const path = new URL('fixtures/log-mel-golden.json', import.meta.url);
    const golden = JSON.parse(readFileSync(path, 'utf8')) as Golden;
    const signal = goldenSignal();
    golden.firstSamples.forEach((value, n) => expect(signal[n]).toBe(Math.fround(value)));
    const bytes = Uint8Array.from(Buffer.from(golden.logMel.base64, 'base64'));
    const wanted = new Float32Array(bytes.buffer);
    const found = compute([signal], backend);
    expect(found.length).toBe(golden.logMel.shape[0] * golden.logMel.shape[1]);
    const difference = found.reduce((largest, value, n) => Math.max(largest, Math.abs(value - wanted[n])), 0);
    expect(difference).toBeLessThan(1e-4);
  });

  it.each(VARIANTS)('gives the same bits in both back ends, however the stream is cut (%o)', (options) => {
    const signal = richSignal(16_000, 2.3, 5);
    const whole = compute([signal], 'wasm', options);
    expect(compute(randomBlocks(signal, 2000, 2), 'wasm', options)).toEqual(whole);
    expect(compute(randomBlocks(signal, 30_000, 3), 'js', options)).toEqual(whole);
    const { windowSamples, hopSamples, melBands } = new LogMel(options).options;
    const frames = 1 + Math.floor((signal.length - windowSamples) / hopSamples);
    expect(whole.length).toBe(frames * melBands);
  });

  it('follows the definition with Slaney bands of area 1', () => {
    const options = { melScale: 'slaney', melNorm: 'slaney', fftSize: 512, windowSamples: 512 } as const;
    const sampleRateHz = 16_000;
    const signal = Float32Array.from({ length: 512 }, (_, n) => Math.sin((2 * Math.PI * 32 * n) / 512));
    const found = compute([signal], 'wasm', {
      ...options,
      sampleRateHz,
      melBands: 10,
      fMinHz: 0,
      logOffset: 1e-9,
    });
    const window = Float64Array.from(
      { length: 512 },
      (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / 512),
    );
    const { re, im } = fftReal(signal.map((value, n) => value * window[n]));
    // Below 1 kHz the scale is linear (15 mel); 10 bands to 8 kHz have corners 45.25 / 11 mel apart.
    const corners = Array.from({ length: 12 }, (_, i) => {
      const mel = (i * (15 + (27 * Math.log(8)) / Math.log(6.4))) / 11;
      return mel < 15 ? (mel * 200) / 3 : 1000 * 6.4 ** ((mel - 15) / 27);
    });
    for (let band = 0; band < 10; band++) {
      const [left, centre, right] = corners.slice(band, band + 3);
      let sum = 0;
      for (let k = 0; k <= 256; k++) {
        const hz = k * 31.25;
        const weight = Math.max(0, Math.min((hz - left) / (centre - left), (right - hz) / (right - centre)));
        sum += (weight * 2 * (re[k] ** 2 + im[k] ** 2)) / (right - left);
      }
      expect(found[band]).toBeCloseTo(Math.log(sum + 1e-9), 3);
    }
  });

  it('gives the logarithm of the offset for silence and nothing for less than a window', () => {
    const silence = compute([new Float32Array(1000)], 'wasm');
    expect(silence.length).toBe(160);
    expect(new Set(silence)).toEqual(new Set([Math.fround(Math.log(1e-5))]));
    expect(compute([new Float32Array(399)], 'wasm').length).toBe(0);
  });

  it('refuses options out of range', () => {
    expect(() => new LogMel({ fMaxHz: 8001 })).toThrow(DspOptionError);
    expect(() => new LogMel({ windowSamples: 513 })).toThrow(DspOptionError);
    expect(() => new LogMel({ logOffset: 0 })).toThrow(DspOptionError);
    expect(() => new LogMel({ fMinHz: 8000 })).toThrow(DspOptionError);
  });
});
