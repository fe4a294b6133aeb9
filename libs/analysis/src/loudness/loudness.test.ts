import { describe, expect, it } from 'vitest';
import { ShapeError } from '@earmark/kernel';
import type { Loudness } from './loudness.js';
import { LoudnessMeter, loudnessFloorLufs } from './loudness.js';

const rate = 48_000;

type Part = Readonly<{ levelDb: number; seconds: number }>;

/** Measures a stereo sine of 1 kHz whose level changes from part to part, in blocks that do not fit the 100 ms steps. */
function measure(parts: readonly Part[], sampleRateHz = 8_000): Loudness {
  const meter = new LoudnessMeter(sampleRateHz, 2);
  const blockLength = sampleRateHz * 0.3;
  const period = Float32Array.from({ length: blockLength }, (_, n) =>
    Math.sin((2 * Math.PI * 1000 * n) / sampleRateHz),
  );
  for (const { levelDb, seconds } of parts) {
    const block = period.map((v) => v * 10 ** (levelDb / 20));
    const length = Math.round(seconds * sampleRateHz);
    for (let at = 0; at < length; at += blockLength) {
      const part = block.subarray(0, Math.min(blockLength, length - at));
      meter.push([part, part]);
    }
  }
  return meter.finish();
}

function truePeakOfSine(amplitude: number, frequency: number, phaseDegrees: number): number {
  const meter = new LoudnessMeter(rate, 1);
  const x = Float32Array.from({ length: 12_000 }, (_, n) => {
    const fade = Math.min(1, n / 2000, (12_000 - n) / 2000);
    return amplitude * fade * Math.sin(2 * Math.PI * frequency * n + (phaseDegrees * Math.PI) / 180);
  });
  meter.push([x]);
  return meter.finish().truePeakDbtp;
}

describe('integrated loudness (EBU Tech 3341)', () => {
  it('reads -23 and -33 LUFS for stereo sines of that level', () => {
    expect(measure([{ levelDb: -23, seconds: 20 }]).integratedLufs).toBeCloseTo(-23, 1);
    expect(measure([{ levelDb: -33, seconds: 20 }]).integratedLufs).toBeCloseTo(-33, 1);
  });

  it('reads the same at 48, 16 and 96 kHz', () => {
    for (const other of [48_000, 16_000, 96_000]) {
      expect(measure([{ levelDb: -23, seconds: 5 }], other).integratedLufs).toBeCloseTo(-23, 1);
    }
  });

  it('leaves quiet parts out by the relative gate', () => {
    const parts = [-36, -23, -36].map((levelDb, i) => ({ levelDb, seconds: i === 1 ? 60 : 10 }));
    expect(Math.abs(measure(parts).integratedLufs + 23)).toBeLessThan(0.1);
  });

  it('leaves parts under -70 LUFS out by the absolute gate', () => {
    const parts = [-72, -36, -23, -36, -72].map((levelDb, i) => ({ levelDb, seconds: i === 2 ? 60 : 10 }));
    expect(Math.abs(measure(parts).integratedLufs + 23)).toBeLessThan(0.1);
  });

  it('averages energy over parts of different level', () => {
    const parts = [
      { levelDb: -26, seconds: 20 },
      { levelDb: -20, seconds: 20.1 },
      { levelDb: -26, seconds: 20 },
    ];
    expect(Math.abs(measure(parts).integratedLufs + 23)).toBeLessThan(0.1);
  });

  it('gives the floor of the scale for silence and for nothing', () => {
    expect(measure([{ levelDb: -200, seconds: 2 }]).integratedLufs).toBe(loudnessFloorLufs);
    expect(new LoudnessMeter(rate, 1).finish()).toEqual({
      integratedLufs: loudnessFloorLufs,
      rangeLu: 0,
      truePeakDbtp: -120,
    });
  });

  it('refuses another number of channels', () => {
    expect(() => new LoudnessMeter(rate, 2).push([new Float32Array(8)])).toThrow(ShapeError);
  });
});

describe('loudness range (EBU Tech 3342)', () => {
  const steps = (...levels: number[]) => measure(levels.map((levelDb) => ({ levelDb, seconds: 20 }))).rangeLu;

  it.each([
    [[-20, -30], 10],
    [[-20, -15], 5],
    [[-40, -20], 20],
    [[-50, -35, -20, -35, -50], 15],
  ])('of sines of %j dBFS is %d LU', (levels, expected) => {
    expect(Math.abs(steps(...levels) - expected)).toBeLessThan(1);
  });
});

describe('true peak (EBU Tech 3341)', () => {
  it.each([
    [1 / 4, 0],
    [1 / 4, 45],
    [1 / 6, 60],
    [1 / 8, 67.5],
  ])('of a sine of half amplitude at %d of the rate, phase %d degrees, is -6 dBTP', (frequency, phase) => {
    const peak = truePeakOfSine(0.5, frequency, phase);
    expect(peak).toBeGreaterThan(-6.4);
    expect(peak).toBeLessThan(-5.8);
  });

  it('exceeds 0 dBTP for a sine whose samples are clipped at full scale between peaks', () => {
    expect(truePeakOfSine(1.41, 1 / 4, 45)).toBeCloseTo(2.98, 1);
  });
});
