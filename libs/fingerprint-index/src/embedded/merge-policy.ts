import { liveLandmarks, type LiveSegment } from './index-state.js';

/** What the choice looks at. */
type Weighed = Pick<LiveSegment, 'tracks' | 'dead'>;

/** When segments are written anew. */
export type MergePolicy = Readonly<{
  /** A segment is merged with all smaller ones when these hold together at least this share of its landmarks. */
  growth: number;
  /** No merge makes a segment above this: about 1,150 h of music. */
  mostLandmarks: number;
  /** A segment with more dead landmarks than this share of all is rewritten alone. */
  deadShare: number;
}>;

export const defaultMergePolicy: MergePolicy = {
  growth: 0.5,
  mostLandmarks: 800_000_000,
  deadShare: 0.2,
};

/**
 * Chooses segments to merge now, in the order in which they stand; empty when there is nothing to do.
 *
 * A question looks every hash up in every segment, and the deep levels of a search, whose work is bounded, look up the
 * fewer hashes the more segments there are. Each segment outweighs those smaller than it together, so that few are left:
 * 385 flushes of one size (1,100 h) have 3 segments on average and 5 at most, and write every landmark 8 times (merge-policy.test.ts).
 */
export function chooseMerge<Segment extends Weighed>(
  segments: readonly Segment[],
  policy: MergePolicy,
): readonly Segment[] {
  const bySize: { segment: Segment; live: number }[] = [];
  let smaller = 0;
  for (const segment of segments) {
    const live = liveLandmarks(segment);
    const total = segment.tracks.landmarks;
    if (total - live > policy.deadShare * total) return [segment];
    bySize.push({ segment, live });
    smaller += live;
  }
  bySize.sort((a, b) => b.live - a.live);
  for (const [i, { live }] of bySize.slice(0, -1).entries()) {
    const together = smaller;
    smaller -= live;
    if (together > policy.mostLandmarks || smaller < policy.growth * live) continue;
    const chosen = new Set(bySize.slice(i).map(({ segment }) => segment));
    return segments.filter((segment) => chosen.has(segment));
  }
  return [];
}
