import type { ConceptId } from './ontology/concept.js';
import type { Ontology } from './ontology/ontology.js';

/** Opposed concepts closer than this are called ambiguous instead of decided. */
export const ambiguityMargin = 0.05;

/** Consistent tags and the pairs that could not be told apart. */
export type RepairedTags = Readonly<{
  tags: ReadonlyMap<ConceptId, number>;
  /** Pairs that contradict each other with nearly equal scores: neither is said. */
  ambiguous: readonly (readonly [ConceptId, ConceptId])[];
}>;

/**
 * Makes the tags of one moment consistent: of two that exclude or oppose each other the higher score stays, then every
 * child brings its parents, with at least its own score. Deterministic: strongest first, ties by id.
 *
 * @param scores what is said, 0..1
 * @param opposed whether opposed concepts contradict too: true inside a segment, false over a whole track
 */
export function repairTags(
  ontology: Ontology,
  scores: ReadonlyMap<ConceptId, number>,
  opposed: boolean,
): RepairedTags {
  const order = [...scores].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  const kept = new Map<ConceptId, number>();
  const dropped = new Set<ConceptId>();
  const ambiguous: (readonly [ConceptId, ConceptId])[] = [];
  for (const [id, score] of order) {
    if (dropped.has(id)) continue;
    const rivals = new Set([...ontology.excludedBy(id), ...(opposed ? ontology.opposedTo(id) : [])]);
    const undecided = order.filter(
      ([other, value]) =>
        opposed &&
        other !== id &&
        !dropped.has(other) &&
        ontology.opposedTo(id).has(other) &&
        score - value < ambiguityMargin,
    );
    for (const rival of rivals) dropped.add(rival);
    if (undecided.length > 0) ambiguous.push(...undecided.map(([other]) => [id, other] as const));
    else kept.set(id, score);
  }
  for (const [id, score] of [...kept]) {
    for (const parent of ontology.ancestorsOf(id)) kept.set(parent, Math.max(kept.get(parent) ?? 0, score));
  }
  return { tags: kept, ambiguous };
}
