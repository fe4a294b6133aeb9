import type { TrackId } from '@earmark/kernel';
import { seededRandom } from '@earmark/kernel';
import { describe, expect, it } from 'vitest';
import { fingerprintConfig } from './config.js';
import { identify } from './identify.js';
import { MemoryIndex } from './memory-index.js';
import { decodePeaks, encodePeaks } from './peak-codec.js';
import { PeakExtractor } from './peak-extractor.js';
import { limitDensity, slicePeaks, type Peaks } from './peaks.js';
import { levelDb, spectrumBins } from './spectrum.js';
import { syntheticMusic } from './synthetic-music.fixture.js';

const rate = fingerprintConfig.sampleRateHz;

function extract(samples: Float32Array, quota = fingerprintConfig.queryQuota): Peaks {
  const extractor = new PeakExtractor(quota);
  for (let at = 0; at < samples.length; at += 4000) extractor.push(samples.subarray(at, at + 4000));
  return extractor.finish();
}

function withNoise(samples: Float32Array, ratioDb: number, seed: number): Float32Array {
  const random = seededRandom(seed);
  const power = samples.reduce((sum, value) => sum + value * value, 0) / samples.length;
  const width = Math.sqrt(12 * power) * 10 ** (-ratioDb / 20);
  return samples.map((value) => value + width * (random.next() - 0.5));
}

describe('the spectrum of a query', () => {
  it('holds the level of a tone in its bin, every frame', () => {
    const bin = 100;
    const hertz = (bin * rate) / fingerprintConfig.fftSize;
    const tone = Float32Array.from(
      { length: rate },
      (_, n) => 0.1 * Math.sin((2 * Math.PI * hertz * n) / rate),
    );
    const { spectrum, lengthFrames } = extract(tone);
    expect(spectrum).toHaveLength(lengthFrames * spectrumBins);
    for (let frame = 0; frame < lengthFrames; frame++)
      expect(levelDb(spectrum?.[frame * spectrumBins + bin - fingerprintConfig.firstBin] ?? 0)).toBe(-20);
  });

  it('survives the codec and is cut with the peaks', () => {
    const peaks = extract(syntheticMusic(4, 6));
    expect(decodePeaks(encodePeaks(peaks))).toEqual(peaks);
    const slice = slicePeaks(peaks, 100, 150);
    expect(slice.spectrum).toEqual(peaks.spectrum?.slice(100 * spectrumBins, 150 * spectrumBins));
  });

  it('is kept neither for references nor beyond a minute', () => {
    expect(extract(syntheticMusic(4, 6), fingerprintConfig.indexQuota).spectrum).toBeUndefined();
    expect(extract(syntheticMusic(4, 65)).spectrum).toBeUndefined();
    for (const quota of [fingerprintConfig.indexQuota, fingerprintConfig.queryQuota])
      expect(limitDensity(extract(syntheticMusic(4, 6)), quota).spectrum).toBeUndefined();
  });

  it('finds music under noise that hides nearly all of its peaks', async () => {
    const track = 'trk_1' as TrackId;
    const music = syntheticMusic(9, 40);
    const stored = limitDensity(extract(music), fingerprintConfig.indexQuota);
    const index = new MemoryIndex();
    index.add(track, stored);
    const sources = { index, peaks: { peaksOf: () => Promise.resolve(stored) } };
    const clip = extract(withNoise(music.subarray(12 * rate, 22 * rate), -12, 5));
    const [match] = await identify(clip, sources);
    expect(match.trackId).toBe(track);
    expect(Math.abs(match.referenceStartMs - match.queryStartMs - 12_000)).toBeLessThan(60);
    const noise = extract(withNoise(syntheticMusic(31, 10), -12, 6));
    expect(await identify(noise, sources)).toEqual([]);
  });
});
