import { describe, expect, it } from 'vitest';
import { chooseMerge, defaultMergePolicy } from './merge-policy.js';
import { OrdinalSet, TrackTable } from './track-table.js';

type Segment = Readonly<{ tracks: TrackTable; dead: OrdinalSet }>;

/** A segment of tracks of so many landmarks. */
function segmentOf(...landmarks: number[]): Segment {
  const tracks = new TrackTable();
  const own = { tenantId: 't', catalogId: 'c', firstFrame: 0, span: 1024 };
  const chunks = new Uint32Array(1);
  for (const [n, count] of landmarks.entries())
    tracks.append({ ...own, trackId: String(n), landmarks: count, chunks, startFrames: chunks });
  return { tracks, dead: new OrdinalSet() };
}

const sizesOf = (segments: readonly Segment[]): number[] => segments.map(({ tracks }) => tracks.landmarks);

describe('merging', () => {
  it('leaves few segments, and writes a landmark a few times', () => {
    const flushes = 385;
    let segments: readonly Segment[] = [];
    let written = 0;
    let counted = 0;
    let most = 0;
    for (let n = 0; n < flushes; n++) {
      segments = [...segments, segmentOf(2_000_000)];
      written += 2_000_000;
      for (;;) {
        const chosen = chooseMerge(segments, defaultMergePolicy);
        if (chosen.length === 0) break;
        const merged = segmentOf(...sizesOf(chosen));
        written += merged.tracks.landmarks;
        segments = [...segments.filter((segment) => !chosen.includes(segment)), merged];
      }
      counted += segments.length;
      most = Math.max(most, segments.length);
    }
    expect(sizesOf(segments).reduce((sum, size) => sum + size)).toBe(flushes * 2_000_000);
    expect(most).toBeLessThanOrEqual(5);
    expect(counted / flushes).toBeLessThan(3.2);
    expect(written / (flushes * 2_000_000)).toBeLessThan(8);
  });

  it('keeps the order in which segments stand', () => {
    const segments = [segmentOf(3), segmentOf(100), segmentOf(2)];
    expect(sizesOf(chooseMerge(segments, defaultMergePolicy))).toEqual([3, 2]);
  });

  it('makes no segment above the limit', () => {
    const policy = { ...defaultMergePolicy, mostLandmarks: 1000 };
    expect(sizesOf(chooseMerge([segmentOf(700), segmentOf(301), segmentOf(200)], policy))).toEqual([
      301, 200,
    ]);
    expect(chooseMerge([segmentOf(700), segmentOf(600)], policy)).toEqual([]);
  });

  it('writes a segment anew that lost more than its share', () => {
    const segment = segmentOf(70, 30);
    segment.dead.add(1);
    expect(chooseMerge([segmentOf(1000), segment], defaultMergePolicy)).toEqual([segment]);
  });
});
