import { seededRandom } from '@earmark/kernel';
import { describe, expect, it } from 'vitest';
import { SegmentMeter } from './segment-meter.js';

const rate = 16_000;
const seconds = (length: number, at: (t: number, n: number) => number): Float32Array =>
  Float32Array.from({ length: length * rate }, (_, n) => at(n / rate, n));
const tone = (hz: number) => (t: number) => 0.5 * Math.sin(2 * Math.PI * hz * t);

function metered(signal: Float32Array, blockSamples = 4096): SegmentMeter {
  const meter = new SegmentMeter(rate, 2500);
  for (let from = 0; from < signal.length; from += blockSamples)
    meter.push(signal.subarray(from, from + blockSamples));
  return meter;
}

/** Decaying strokes, some a second. */
const strokes = (rateHz: number) => (t: number) => {
  const since = t % (1 / rateHz);
  return 0.6 * Math.exp(-since * 25) * Math.sin(2 * Math.PI * 700 * since);
};

describe('segment meter', () => {
  it('measures the level of a sine against its closed form', () => {
    expect(metered(seconds(5, tone(440))).rmsDb(0)).toBeCloseTo(20 * Math.log10(0.5 / Math.SQRT2), 2);
  });

  it('gives digital silence no level and no brightness', () => {
    const meter = metered(seconds(5, () => 0));
    expect(meter.rmsDb(0)).toBe(-Infinity);
    expect(meter.describe(0)).toEqual({
      energy: 0,
      brightnessHz: 0,
      onsetRateHz: 0,
      tempoFeel: 'still',
      silentShare: 1,
    });
    expect(meter.isSilent(0)).toBe(true);
  });

  it('calls a segment silent of which at least half is, whatever its level', () => {
    const partly = (share: number) => metered(seconds(5, (t) => (t < 5 * share ? 1e-4 : 1) * tone(440)(t)));
    expect(partly(0.6).describe(0).silentShare).toBeCloseTo(0.6, 1);
    expect(partly(0.6).rmsDb(0)).toBeGreaterThan(-15);
    expect([0.4, 0.6].map((share) => partly(share).isSilent(0))).toEqual([false, true]);
  });

  it('calls hiss at -70 dBFS silent and at -50 dBFS not', () => {
    const random = seededRandom(3);
    const hiss = (levelDb: number) =>
      metered(seconds(5, () => 10 ** (levelDb / 20) * Math.sqrt(3) * (2 * random.next() - 1)));
    expect([-70, -50].map((levelDb) => hiss(levelDb).isSilent(0))).toEqual([true, false]);
  });

  it('places the brightness of a tone at its frequency', () => {
    const meter = metered(seconds(5, tone(1000)));
    expect(Math.abs(meter.describe(0).brightnessHz - 1000)).toBeLessThan(30);
    expect(metered(seconds(5, tone(3000))).describe(0).brightnessHz).toBeGreaterThan(2900);
  });

  it('tells a bare tone from a tone with a weak overtone', () => {
    expect(metered(seconds(5, tone(440))).describe(0).bareTone).toBe(true);
    const coarse = (t: number) => Math.round(0.1 * tone(440)(t) * 2 ** 15) / 2 ** 15;
    expect(metered(seconds(5, coarse)).describe(0).bareTone).toBe(true);
    const rich = (t: number) => tone(440)(t) + 0.1 * tone(880)(t);
    expect(metered(seconds(5, rich)).describe(0).bareTone).toBeUndefined();
  });

  it.each([
    [1, 'slow'],
    [3, 'moderate'],
    [6, 'fast'],
  ] as const)('feels %d strokes a second as %s', (rateHz, feel) => {
    const described = metered(seconds(10, strokes(rateHz))).describe(1);
    expect(Math.abs(described.onsetRateHz - rateHz)).toBeLessThanOrEqual(0.3 * rateHz);
    expect(described.tempoFeel).toBe(feel);
  });

  it('feels a held tone as still after its onset', () => {
    expect(metered(seconds(12, tone(300))).describe(2).tempoFeel).toBe('still');
  });

  it('does not depend on how the stream is cut', () => {
    const signal = seconds(9, strokes(3));
    const whole = metered(signal, signal.length);
    const pieces = metered(signal, 997);
    for (const k of [0, 1, 2]) {
      expect(pieces.describe(k)).toEqual(whole.describe(k));
      expect(pieces.rmsDb(k)).toBeCloseTo(whole.rmsDb(k), 6);
    }
  });
});
