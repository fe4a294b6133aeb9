import { describe, expect, it } from 'vitest';
import { QualityMeter } from './technical-quality.js';

const rate = 48_000;

function measure(channels: readonly Float32Array[]) {
  const meter = new QualityMeter(rate, channels.length);
  meter.push(channels);
  return meter.finish();
}

const sine = (hz: number, gain: number) =>
  Float32Array.from({ length: rate }, (_, i) =>
    Math.max(-1, Math.min(1, gain * Math.sin((2 * Math.PI * hz * i) / rate))),
  );

describe('QualityMeter', () => {
  it('counts samples of clipped runs only', () => {
    expect(measure([sine(100, 0.9)]).clippedShare).toBe(0);
    expect(measure([sine(100, 2)]).clippedShare).toBeCloseTo(2 / 3, 1);
  });

  it('finds the bandwidth', () => {
    const low = measure([sine(3_000, 0.5)]).bandwidthHz;
    expect(low).toBeGreaterThan(2_900);
    expect(low).toBeLessThan(4_000);
    expect(measure([sine(15_000, 0.5)]).bandwidthHz).toBeGreaterThan(14_900);
  });

  it('finds the level of the quietest passages, the offset and two equal channels', () => {
    const x = sine(100, 0.5).map((v, i) => (i < rate / 2 ? v : v / 1000) + 0.01);
    const result = measure([x, x]);
    expect(result.noiseFloorDbfs).toBeCloseTo(-40, -1);
    expect(result.dcOffset).toBeCloseTo(0.01, 3);
    expect(result.dualMono).toBe(true);
  });
});
