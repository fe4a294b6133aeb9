import { liveLandmarks, type LiveSegment } from './index-state.js';

/** When segments are written anew. */
export type MergePolicy = Readonly<{
  /** Segments of one size class that are merged into one of the next. */
  fanIn: number;
  /** Landmarks of the smallest size class; each next one is `fanIn` times larger. */
  smallestLandmarks: number;
  /** No merge makes a segment above this: about 1,000 h of music. */
  mostLandmarks: number;
  /** A segment with more dead landmarks than this share of all is rewritten alone. */
  deadShare: number;
}>;

export const defaultMergePolicy: MergePolicy = {
  fanIn: 4,
  smallestLandmarks: 2_000_000,
  mostLandmarks: 800_000_000,
  deadShare: 0.2,
};

/**
 * Chooses segments to merge now, in the order in which they stand; empty when there is nothing to do. Size-tiered: every
 * landmark is rewritten about once a size class.
 */
export function chooseMerge(segments: readonly LiveSegment[], policy: MergePolicy): readonly LiveSegment[] {
  const classes = new Map<number, { segment: LiveSegment; live: number }[]>();
  for (const segment of segments) {
    const live = liveLandmarks(segment);
    const total = segment.tracks.landmarks;
    if (total - live > policy.deadShare * total) return [segment];
    const sizeClass = Math.max(
      0,
      Math.ceil(Math.log(live / policy.smallestLandmarks) / Math.log(policy.fanIn)),
    );
    const list = classes.get(sizeClass);
    if (list) list.push({ segment, live });
    else classes.set(sizeClass, [{ segment, live }]);
  }
  for (const sizeClass of [...classes.keys()].sort((a, b) => a - b)) {
    const list = classes.get(sizeClass) ?? [];
    if (list.length < policy.fanIn) continue;
    const chosen: LiveSegment[] = [];
    let sum = 0;
    for (const { segment, live } of list) {
      if (sum + live > policy.mostLandmarks) continue;
      chosen.push(segment);
      sum += live;
    }
    if (chosen.length >= 2) return chosen;
  }
  return [];
}
