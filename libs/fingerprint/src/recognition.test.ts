import type { TrackId } from '@earmark/kernel';
import { describe, expect, it } from 'vitest';
import { framesPerSecond, msToFrames } from './config.js';
import { findDuplicate } from './duplicates.js';
import { identify } from './identify.js';
import { MemoryIndex } from './memory-index.js';
import { PeakExtractor } from './peak-extractor.js';
import { limitDensity, type Peaks } from './peaks.js';
import { scan } from './scan.js';
import { syntheticMusic } from './synthetic-music.fixture.js';

function extract(samples: Float32Array): Peaks {
  const extractor = new PeakExtractor();
  extractor.push(samples);
  return extractor.finish();
}

const rate = 11_025;
const index = new MemoryIndex();
const stored = new Map<TrackId, Peaks>();
const trackOf = (seed: number) => `trk_${seed}` as TrackId;
for (const seed of [1, 2, 3]) {
  const peaks = limitDensity(extract(syntheticMusic(seed, 40)), 5);
  stored.set(trackOf(seed), peaks);
  index.add(trackOf(seed), peaks);
}
const sources = { index, peaks: { peaksOf: (trackId: TrackId) => Promise.resolve(stored.get(trackId)) } };
const excerpt = (seed: number, from: number, to: number) =>
  syntheticMusic(seed, 40).subarray(from * rate, to * rate);
const join = (...parts: Float32Array[]): Float32Array => {
  const out = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
};

describe('identify', () => {
  it('finds a 5 s excerpt at its place', async () => {
    const [match] = await identify(extract(excerpt(2, 17, 22)), sources);
    expect(match.trackId).toBe(trackOf(2));
    expect(Math.abs(match.referenceStartMs - match.queryStartMs - 17_000)).toBeLessThan(50);
    expect(match).toMatchObject({ speedRatio: 1, pitchCents: 0, role: 'foreground' });
    expect(match.probability).toBeGreaterThan(0.9);
  });

  it('measures a speed of +5 % and the pitch that comes with it', async () => {
    const [match] = await identify(extract(syntheticMusic(3, 12, 1.05)), sources);
    expect(match.trackId).toBe(trackOf(3));
    expect(Math.abs(match.speedRatio - 1.05)).toBeLessThan(0.005);
    expect(Math.abs(match.pitchCents - 84.5)).toBeLessThan(10);
  });

  it('answers nothing for other music, silence and a fraction of a second', async () => {
    expect(await identify(extract(syntheticMusic(77, 10)), sources)).toEqual([]);
    expect(await identify(extract(new Float32Array(5 * rate)), sources)).toEqual([]);
    expect(await identify(extract(excerpt(1, 5, 5.2)), sources)).toEqual([]);
  });
});

describe('scan', () => {
  it('finds two excerpts between foreign music with their borders on both sides', async () => {
    const recording = join(
      syntheticMusic(50, 14),
      excerpt(1, 8, 27),
      syntheticMusic(51, 9),
      excerpt(2, 3, 15),
    );
    const matches = await scan(extract(recording), sources);
    expect(matches.map((match) => match.trackId)).toEqual([trackOf(1), trackOf(2)]);
    const expected = [
      [14_000, 33_000, 8000, 27_000],
      [42_000, 54_000, 3000, 15_000],
    ];
    for (const [i, match] of matches.entries()) {
      const found = [match.queryStartMs, match.queryEndMs, match.referenceStartMs, match.referenceEndMs];
      for (let k = 0; k < 4; k++) expect(Math.abs(found[k] - expected[i][k])).toBeLessThan(600);
    }
  });

  it('stops between two windows when told to', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(scan(extract(excerpt(1, 0, 20)), sources, { signal })).rejects.toThrow('enough');
  });
});

describe('findDuplicate', () => {
  it('recognises a recording at another level with noise and a little silence in front', async () => {
    const copy = join(
      new Float32Array(Math.round(0.4 * rate)),
      syntheticMusic(2, 40).map((x, i) => 0.5 * x + 0.001 * Math.sin(i * i)),
    );
    const duplicate = await findDuplicate(extract(copy), sources);
    expect(duplicate?.trackId).toBe(trackOf(2));
    expect(Math.abs((duplicate?.offsetFrames ?? 0) + msToFrames(400))).toBeLessThan(2);
  });

  it('takes an edit, an excerpt and a faster version for recordings of their own', async () => {
    const edit = join(excerpt(1, 0, 18), excerpt(1, 24, 40), syntheticMusic(60, 6));
    expect(await findDuplicate(extract(edit), sources)).toBeUndefined();
    expect(await findDuplicate(extract(excerpt(1, 0, 30)), sources)).toBeUndefined();
    expect(await findDuplicate(extract(syntheticMusic(1, 39.5, 1.012)), sources)).toBeUndefined();
    expect(framesPerSecond).toBeCloseTo(43.066, 3);
  });
});
