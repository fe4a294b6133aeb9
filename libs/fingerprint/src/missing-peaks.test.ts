import { seededRandom } from '@earmark/kernel';
import { describe, expect, it } from 'vitest';
import { fingerprintConfig } from './config.js';
import { missingPeaks } from './missing-peaks.js';
import { PeakExtractor } from './peak-extractor.js';
import { limitDensity, type Peaks } from './peaks.js';
import { referencePeaks } from './query-raster.js';
import { syntheticMusic } from './synthetic-music.fixture.js';

const nominal = { offset: 0, speed: 1, pitch: 0 };

function peaksOf(samples: Float32Array): Peaks {
  const extractor = new PeakExtractor();
  extractor.push(samples);
  return extractor.finish();
}

const music = syntheticMusic(5, 10);
const track = referencePeaks(limitDensity(peaksOf(music), fingerprintConfig.indexQuota));

describe('missingPeaks', () => {
  it('finds that a softer recording in noise lacks nothing', () => {
    const random = seededRandom(3);
    const noisy = music.map((sample) => 0.3 * sample + 0.02 * (random.next() - 0.5));
    const { judged, softer } = missingPeaks(peaksOf(noisy), track, nominal);
    expect(judged).toBeGreaterThan(20);
    expect(softer).toBeLessThan(0.05);
  });

  it('misses the partials that another instrument leaves out', () => {
    const other = syntheticMusic(5, 10, 1, [1, 0.05, 0.4]);
    expect(missingPeaks(peaksOf(other), track, nominal).missing).toBeGreaterThan(0.1);
  });

  it('looks only where it is asked to', () => {
    const other = peaksOf(music);
    const whole = missingPeaks(other, track, nominal).compared;
    const half = missingPeaks(other, track, nominal, { start: 0, end: 215 }).compared;
    expect(half).toBeGreaterThan(0.4 * whole);
    expect(half).toBeLessThan(0.6 * whole);
  });

  it('judges nothing without a spectrum', () => {
    const { spectrum: _, ...alone } = peaksOf(music);
    expect(missingPeaks(alone, track, nominal)).toEqual({ compared: 0, judged: 0, softer: 0, missing: 0 });
  });
});
