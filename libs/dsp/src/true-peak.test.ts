import { describe, expect, it } from 'vitest';
import { randomBlocks, richSignal } from './fixtures/rich-signal.js';
import { TruePeakMeter } from './true-peak.js';

function truePeakDb(sampleRateHz: number, hz: number, phase: number): number {
  const meter = new TruePeakMeter(sampleRateHz);
  meter.process(
    Float32Array.from({ length: sampleRateHz / 4 }, (_, n) => {
      const envelope = Math.sin((Math.PI * n) / (sampleRateHz / 4));
      return 0.5 * envelope * Math.sin((2 * Math.PI * hz * n) / sampleRateHz + phase);
    }),
  );
  return 20 * Math.log10(meter.flush());
}

describe('TruePeakMeter', () => {
  it.each([
    [48_000, 12_000],
    [44_100, 11_025],
    [48_000, 6000],
    [44_100, 997],
    [96_000, 12_000],
    [192_000, 12_000],
  ])('finds the peak between samples within +0.2 / -0.4 dB (%i Hz, tone %i Hz)', (sampleRateHz, hz) => {
    // At a quarter of the rate and this phase the samples themselves reach only -9 dB.
    const level = truePeakDb(sampleRateHz, hz, Math.PI / 4);
    expect(level).toBeGreaterThan(20 * Math.log10(0.5) - 0.4);
    expect(level).toBeLessThan(20 * Math.log10(0.5) + 0.2);
  });

  it('gives the same in both back ends, however the stream is cut', () => {
    const signal = richSignal(44_100, 0.7, 3);
    const whole = new TruePeakMeter(44_100, 'wasm');
    whole.process(signal);
    const cut = new TruePeakMeter(44_100, 'js');
    for (const block of randomBlocks(signal, 5000, 1)) cut.process(block);
    expect(cut.flush()).toBe(whole.flush());
  });

  it('is never below the largest sample and 0 for silence', () => {
    const meter = new TruePeakMeter(44_100);
    expect(meter.flush()).toBe(0);
    meter.process(Float32Array.of(0, -0.75, 0));
    expect(meter.peak).toBeGreaterThanOrEqual(0.75);
  });
});
