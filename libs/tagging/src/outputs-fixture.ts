import { conceptId, facets } from './ontology/concept.js';
import { ontologyV1 } from './ontology/ontology-v1.js';
import type { SegmentOutputs, TaggerModel } from './tagger-model.js';

/** A model with every tag of the vocabulary, identity calibration and a threshold of 0.5, for tests. */
export const plainModel: TaggerModel = {
  id: 'plain',
  version: '1.0.0',
  tags: ontologyV1.concepts
    .filter(({ tag }) => tag !== 'silence')
    .map(({ facet, tag }) => ({
      facet,
      tag,
      calibration: { a: 1, b: 0 },
      threshold: 0.5,
      experimental: false,
    })),
  embeddingSize: 2,
  windowMs: 5000,
  hopMs: 2500,
};

/** What is heard in a segment: logits by concept id, -6 for all others; `silent` for silence. */
export type HeardSegment = Readonly<Record<string, number>> | 'silent';

/**
 * Makes outputs of {@link plainModel} for tests; music is present unless said otherwise.
 *
 * @param segments one entry a segment
 */
export function outputsOf(
  segments: readonly HeardSegment[],
  model: TaggerModel = plainModel,
): SegmentOutputs {
  const count = segments.length;
  const width = model.tags.length;
  const logits = new Float32Array(count * width);
  const embeddings = new Float32Array(count * model.embeddingSize);
  const known = new Set<string>(
    facets.flatMap((facet) => model.tags.map(({ tag }) => conceptId(facet, tag))),
  );
  segments.forEach((segment, k) => {
    if (segment === 'silent') return;
    for (const key of Object.keys(segment)) if (!known.has(key)) throw new Error(`no tag ${key}`);
    model.tags.forEach(({ facet, tag }, t) => {
      const otherwise = facet === 'activity' && tag === 'music' ? 6 : -6;
      logits[k * width + t] = segment[conceptId(facet, tag)] ?? otherwise;
    });
    // Another sound, another direction.
    const angle = Object.keys(segment).reduce((sum, key) => sum + key.length, 0);
    embeddings.set([(k + 1) * Math.cos(angle), (k + 1) * Math.sin(angle)], k * model.embeddingSize);
  });
  return {
    durationMs: 2500 * (count + 1),
    count,
    logits,
    embeddings,
    rmsDb: Float32Array.from(segments, (segment) => (segment === 'silent' ? -Infinity : -20)),
  };
}

/** The same segment over and over. */
export function repeated(segment: HeardSegment, count: number): readonly HeardSegment[] {
  return Array.from({ length: count }, () => segment);
}
