import type { Facet } from './ontology/concept.js';
import type { ScoredTag, TrackTag } from './tag-result.js';

/** What a person says of a tag of a track; kept apart from what models say, and stronger. */
export type TagVerdict = Readonly<{
  facet: Facet;
  tag: string;
  verdict: 'confirmed' | 'rejected';
  /** Who said so. */
  author: string;
  decidedAtMs: number;
}>;

/** A tag after people have looked at it. */
export type JudgedTag = TrackTag & Readonly<{ verdict?: TagVerdict['verdict'] }>;

/**
 * Applies the verdicts of people: rejected tags go, confirmed ones are certain (score 1), with the model's segments if it
 * said them.
 */
export function applyVerdicts(
  tags: readonly TrackTag[],
  verdicts: readonly TagVerdict[],
): readonly JudgedTag[] {
  const of = (tag: Readonly<{ facet: Facet; tag: string }>): TagVerdict | undefined =>
    verdicts.find((one) => one.facet === tag.facet && one.tag === tag.tag);
  const kept = tags.flatMap((tag): JudgedTag[] => {
    const verdict = of(tag)?.verdict;
    if (verdict === 'rejected') return [];
    return [verdict === undefined ? tag : { ...tag, score: 1, verdict }];
  });
  const added = verdicts
    .filter(({ verdict }) => verdict === 'confirmed')
    .filter((one) => !tags.some((tag) => tag.facet === one.facet && tag.tag === one.tag))
    .map(({ facet, tag, verdict }) => ({ facet, tag, score: 1, segments: [], verdict }));
  return [...kept, ...added];
}

/** What a re-tag changes. */
export type TagDiff = Readonly<{
  added: readonly ScoredTag[];
  dropped: readonly ScoredTag[];
  /** Said by both, but elsewhere in the track. */
  moved: readonly Readonly<{ facet: Facet; tag: string; fromMs: number; toMs: number }>[];
}>;

/**
 * Compares the tags of two models, or of two versions of one.
 *
 * @param toleranceMs how far the first appearance of a tag may move without being reported
 */
export function diffTags(
  before: readonly TrackTag[],
  after: readonly TrackTag[],
  toleranceMs = 5000,
): TagDiff {
  const keyOf = ({ facet, tag }: ScoredTag): string => `${facet}/${tag}`;
  const old = new Map(before.map((tag) => [keyOf(tag), tag]));
  const now = new Set(after.map(keyOf));
  const plain = ({ facet, tag, score }: TrackTag): ScoredTag => ({ facet, tag, score });
  return {
    added: after.filter((tag) => !old.has(keyOf(tag))).map(plain),
    dropped: before.filter((tag) => !now.has(keyOf(tag))).map(plain),
    moved: after.flatMap((tag) => {
      const fromMs = old.get(keyOf(tag))?.segments[0]?.startMs;
      const toMs = tag.segments[0]?.startMs;
      if (fromMs === undefined || toMs === undefined || Math.abs(fromMs - toMs) <= toleranceMs) return [];
      return [{ facet: tag.facet, tag: tag.tag, fromMs, toMs }];
    }),
  };
}
