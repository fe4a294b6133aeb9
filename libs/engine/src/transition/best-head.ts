import type { TransitionModel } from '@earmark/transition';

/**
 * The entry point that the model likes best after a tail, with its score; of equal ones the first. An index knows rounded
 * vectors, and of two much alike it may name either.
 *
 * @returns undefined if there is none to choose from
 */
export function bestHead<T extends Readonly<{ code: Float32Array }>>(
  model: TransitionModel,
  tail: Readonly<{ code: Float32Array }>,
  heads: readonly T[],
): Readonly<{ head: T; score: number }> | undefined {
  let best: Readonly<{ head: T; score: number }> | undefined;
  for (const head of heads) {
    const score = model.score(tail.code, head.code);
    if (best === undefined || score > best.score) best = { head, score };
  }
  return best;
}
