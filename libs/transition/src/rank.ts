import type { TransitionModel } from './transition-model.js';
import type { Component } from './transition-model-spec.js';

/** A candidate head: its id and its code. */
export type Candidate = Readonly<{ id: string; code: Float32Array }>;

/** Candidates best first, and their scores in the same order, 0..1. */
export type Ranking = Readonly<{ ranked: readonly string[]; scores: readonly number[] }>;

/** How much a component adds to the score of a pair: the score less the score without it, -1..1. */
export type Reason = Readonly<{ code: Component; value: number }>;

/** Dot product of the first `length` values of two vectors; of search vectors, their similarity, -1..1. */
export function similarity(a: Float32Array, b: Float32Array, length: number = a.length): number {
  let sum = 0;
  for (let i = 0; i < length; i++) sum += a[i] * b[i];
  return sum;
}

/** The part of a code that a nearest-neighbour index holds: unit length, compared by dot product. A view, no copy. */
export function searchVector(model: TransitionModel, code: Float32Array): Float32Array {
  return code.subarray(0, model.dimensions);
}

/**
 * Ranks heads for a tail by {@link TransitionModel.score}. Equal scores keep the order of the candidates, so that equal
 * input gives equal output.
 */
export function rankHeads(
  model: TransitionModel,
  tail: Float32Array,
  candidates: readonly Candidate[],
): Ranking {
  const scored = candidates.map(({ id, code }) => ({ id, score: model.score(tail, code) }));
  scored.sort((a, b) => b.score - a.score);
  return { ranked: scored.map((s) => s.id), scores: scored.map((s) => s.score) };
}

/**
 * Says why a pair has its score: for each component the score less the score without it, largest effect first, so that
 * taking away the one named first changes the score most.
 */
export function explainPair(model: TransitionModel, tail: Float32Array, head: Float32Array): Reason[] {
  const cosines = model.cosines(tail, head);
  const full = model.scoreOf(cosines);
  return model.components
    .map((code) => ({ code, value: full - model.scoreOf(cosines, [code]) }))
    .sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
}
