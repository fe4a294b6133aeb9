import type { Facet } from './ontology/concept.js';
import type { TimeRange } from './segment-grid.js';
import type { ScoredTag, TrackTag } from './tag-result.js';

/** A tag that both sides say, at other places. */
export type MovedTag = Readonly<{
  facet: Facet;
  tag: string;
  /** Where it held. */
  from: readonly TimeRange[];
  /** Where it holds now. */
  to: readonly TimeRange[];
}>;

/** What another model, or another version of one, changes in the tags of a track. */
export type TagDiff = Readonly<{
  added: readonly ScoredTag[];
  dropped: readonly ScoredTag[];
  moved: readonly MovedTag[];
}>;

/** Share of the time covered by either that both must cover for a tag to have stayed in its place. */
const stayedShare = 0.5;

/** Compares the tags of two models, or of two versions of one. */
export function diffTags(before: readonly TrackTag[], after: readonly TrackTag[]): TagDiff {
  const keyOf = ({ facet, tag }: ScoredTag): string => `${facet}/${tag}`;
  const old = new Map(before.map((tag) => [keyOf(tag), tag]));
  const now = new Set(after.map(keyOf));
  const plain = ({ facet, tag, score }: TrackTag): ScoredTag => ({ facet, tag, score });
  const places = ({ segments }: TrackTag): TimeRange[] =>
    segments.map(({ startMs, endMs }) => ({ startMs, endMs }));
  return {
    added: after.filter((tag) => !old.has(keyOf(tag))).map(plain),
    dropped: before.filter((tag) => !now.has(keyOf(tag))).map(plain),
    moved: after.flatMap((tag) => {
      const earlier = old.get(keyOf(tag));
      if (earlier === undefined || overlap(earlier.segments, tag.segments) >= stayedShare) return [];
      return [{ facet: tag.facet, tag: tag.tag, from: places(earlier), to: places(tag) }];
    }),
  };
}

/** Tells whether nothing was added, dropped or moved. */
export function isEmptyDiff({ added, dropped, moved }: TagDiff): boolean {
  return added.length + dropped.length + moved.length === 0;
}

/** Intersection over union of two sets of ranges, each without overlaps; 1 if both are empty. */
function overlap(left: readonly TimeRange[], right: readonly TimeRange[]): number {
  const lengthOf = (ranges: readonly TimeRange[]): number =>
    ranges.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);
  let both = 0;
  for (const a of left)
    for (const b of right) both += Math.max(0, Math.min(a.endMs, b.endMs) - Math.max(a.startMs, b.startMs));
  const either = lengthOf(left) + lengthOf(right) - both;
  return either === 0 ? 1 : both / either;
}
