import { components, type Reason, type TransitionModel } from './transition-model.js';

/** A candidate head: its id and the row of WindowFeatures for side `head`. */
export type Candidate = Readonly<{ id: string; features: Float32Array }>;

/** Candidates best first, and their scores in the same order, cosines in -1..1. */
export type Ranking = Readonly<{ ranked: readonly string[]; scores: readonly number[] }>;

/** Cosine of two unit vectors, -1..1. */
export function similarity(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/**
 * Ranks heads for a tail. Equal scores keep the order of the candidates, so that equal input gives equal output.
 *
 * @param tail row of WindowFeatures for side `tail`
 */
export function rankHeads(
  model: TransitionModel,
  tail: Float32Array,
  candidates: readonly Candidate[],
): Ranking {
  return rankEmbedded(
    model.embed(tail, 'tail'),
    candidates.map(({ id, features }) => ({ id, embedding: model.embed(features, 'head') })),
  );
}

/** As {@link rankHeads}, for embeddings that were stored. */
export function rankEmbedded(
  tail: Float32Array,
  heads: readonly Readonly<{ id: string; embedding: Float32Array }>[],
): Ranking {
  const scored = heads.map(({ id, embedding }) => ({ id, score: similarity(tail, embedding) }));
  scored.sort((a, b) => b.score - a.score);
  return { ranked: scored.map((s) => s.id), scores: scored.map((s) => s.score) };
}

/**
 * Says why a pair has its score: for each component the score less the score without it, largest effect first, so that
 * taking away the one named first changes the score most.
 */
export function explain(model: TransitionModel, tail: Float32Array, head: Float32Array): Reason[] {
  const full = similarity(model.embed(tail, 'tail'), model.embed(head, 'head'));
  return components
    .map((code) => ({
      code,
      value: full - similarity(model.embed(tail, 'tail', code), model.embed(head, 'head', code)),
    }))
    .sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
}
