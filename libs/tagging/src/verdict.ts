import type { Facet } from './ontology/concept.js';
import type { TrackTag } from './tag-result.js';

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
