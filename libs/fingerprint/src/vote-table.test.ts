import { seededRandom } from '@earmark/kernel';
import { describe, expect, it } from 'vitest';
import { alignDocuments } from './align-documents.js';
import { mixHash, unmixHash } from './hash-cells.js';
import { indexLandmarks } from './index-landmarks.js';
import type { Peaks } from './peaks.js';
import { queryLandmarks } from './query-landmarks.js';
import { searchLevels } from './search-levels.js';

/** Peaks at random: 30 a second. */
function randomPeaks(seed: number, frames: number): Peaks {
  const random = seededRandom(seed);
  const count = Math.round((frames / 43) * 30);
  const times = Float32Array.from({ length: count }, () => Math.round(frames * random.next() * 8) / 8).sort();
  return {
    frames: times,
    pitches: Float32Array.from({ length: count }, () => Math.round(160 * random.next() * 32) / 32),
    levels: new Float32Array(count),
    ranks: new Uint8Array(count),
    lengthFrames: frames,
  };
}

/** What a query of the peaks would hold: a stretch, played faster and higher. */
function changed(peaks: Peaks, from: number, length: number, speed: number, pitch: number): Peaks {
  const keep = [...peaks.frames.keys()].filter(
    (i) => peaks.frames[i] >= from && peaks.frames[i] < from + length * speed,
  );
  return {
    frames: Float32Array.from(keep, (i) => (peaks.frames[i] - from) / speed),
    pitches: Float32Array.from(keep, (i) => peaks.pitches[i] + pitch),
    levels: new Float32Array(keep.length),
    ranks: new Uint8Array(keep.length),
    lengthFrames: length,
  };
}

const documents = [1, 2, 3].map((seed) => randomPeaks(seed, 1700));
const landmarks = documents.map((peaks) => indexLandmarks(peaks, { start: 0, end: 1700 }));

describe('alignDocuments', () => {
  it.each([
    ['as it is', 1, 0],
    ['6 % slower', 0.94, 0],
    ['a semitone higher', 1, 3],
    ['20 % faster like a turntable', 1.2, 9.47],
  ])('finds a stretch %s in its document', (_, speed, pitch) => {
    const query = changed(documents[1], 600, 430, speed, pitch);
    const found = searchLevels.flatMap(({ depth }) =>
      alignDocuments(queryLandmarks(query, depth), 430, landmarks, 5),
    );
    const best = found.reduce((a, b) => (b.votes > a.votes ? b : a));
    expect(best.document).toBe(1);
    expect(best.position).toBeCloseTo(600, -0.5);
    expect(best.speed).toBeCloseTo(speed, 2);
    expect(Math.abs(best.pitch - pitch)).toBeLessThan(0.5);
  });

  it('gives foreign peaks few votes', () => {
    const query = changed(randomPeaks(9, 1700), 600, 430, 1, 0);
    const found = alignDocuments(queryLandmarks(query, searchLevels[0].depth), 430, landmarks, 5);
    expect(Math.max(0, ...found.map(({ votes }) => votes))).toBeLessThan(8);
  });
});

describe('mixHash', () => {
  it('can be undone', () => {
    for (const code of [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 123_456_789])
      expect(unmixHash(mixHash(code))).toBe(code);
  });
});
