import { describe, expect, it } from 'vitest';
import { fingerprintConfig } from './config.js';
import { chunkRanges, indexLandmarks } from './index-landmarks.js';
import { BadPeaksError, decodePeaks, encodePeaks } from './peak-codec.js';
import { PeakExtractor } from './peak-extractor.js';
import { limitDensity } from './peaks.js';
import { syntheticMusic } from './synthetic-music.fixture.js';

function extract(samples: Float32Array, block = samples.length) {
  const extractor = new PeakExtractor();
  for (let at = 0; at < samples.length; at += block) extractor.push(samples.subarray(at, at + block));
  return extractor.finish();
}

describe('PeakExtractor', () => {
  const samples = syntheticMusic(1, 12);
  const peaks = extract(samples);

  it('gives the same peaks however the audio is cut into blocks', () => {
    expect(extract(samples, 1000)).toEqual(peaks);
    expect(extract(samples, 7)).toEqual(peaks);
  });

  it('finds the pitch of a sine within a tenth of a step', () => {
    const hertz = 1000;
    const sine = Float32Array.from(
      { length: 22_050 },
      (_, i) => 0.3 * Math.sin((2 * Math.PI * hertz * i) / 11_025),
    );
    const bin = (hertz * fingerprintConfig.fftSize) / fingerprintConfig.sampleRateHz;
    const pitch = fingerprintConfig.stepsPerOctave * Math.log2(bin / fingerprintConfig.firstBin);
    const found = extract(sine);
    const loudest = found.levels.indexOf(Math.max(...found.levels));
    expect(Math.abs(found.pitches[loudest] - pitch)).toBeLessThan(0.1);
  });

  it('orders peaks by time and keeps the quota of every band and second', () => {
    const counts = new Map<string, number>();
    for (let i = 0; i < peaks.frames.length; i++) {
      if (i > 0) expect(peaks.frames[i]).toBeGreaterThanOrEqual(peaks.frames[i - 1]);
      expect(peaks.ranks[i]).toBeLessThan(fingerprintConfig.queryQuota);
    }
    const sparse = limitDensity(peaks, fingerprintConfig.indexQuota);
    for (let i = 0; i < sparse.frames.length; i++) {
      const second = String(Math.floor(sparse.frames[i] / fingerprintConfig.quotaFrames));
      counts.set(second, (counts.get(second) ?? 0) + 1);
    }
    const bands = fingerprintConfig.bandBorders.length + 1;
    expect(Math.max(...counts.values())).toBeLessThanOrEqual(fingerprintConfig.indexQuota * bands + 2);
  });

  it('finds nothing in silence and in less than one frame', () => {
    expect(extract(new Float32Array(30_000)).frames).toHaveLength(0);
    expect(extract(new Float32Array(100)).lengthFrames).toBe(0);
  });

  it('starts anew after finish', () => {
    const extractor = new PeakExtractor();
    extractor.push(samples);
    extractor.finish();
    extractor.push(samples);
    expect(extractor.finish()).toEqual(peaks);
  });

  it('stores peaks without loss, so that hashes of stored peaks equal the first ones', () => {
    const stored = limitDensity(peaks, fingerprintConfig.indexQuota);
    const bytes = encodePeaks(stored);
    expect(decodePeaks(bytes)).toEqual(stored);
    expect((bytes.length - 16) / stored.frames.length).toBeLessThan(4.2);
    const [range] = chunkRanges(peaks.lengthFrames);
    expect(indexLandmarks(decodePeaks(bytes), range)).toEqual(indexLandmarks(peaks, range));
  });

  it('refuses cut, foreign and longer bytes', () => {
    const bytes = encodePeaks(peaks);
    expect(() => decodePeaks(bytes.subarray(0, bytes.length - 1))).toThrow(BadPeaksError);
    expect(() => decodePeaks(new Uint8Array(40))).toThrow(BadPeaksError);
    expect(() => decodePeaks(Uint8Array.from([...bytes, 0]))).toThrow(BadPeaksError);
    const future = bytes.slice();
    future[5] = 99;
    expect(() => decodePeaks(future)).toThrow(/version 99/);
  });
});
