import { readBorder } from './border.js';
import type { TransitionModel } from './transition-model.js';

/**
 * What to do with a pair: mix the two; play one after the other without a break or a fade, because they are one
 * recording cut in two (album order); or not mix them at all.
 */
export type JoinOutcome = 'mix' | 'gapless' | 'do-not-mix';

/** Why: the recording goes on over the border; the two do not fit; one is silent for most of its window. */
export type JoinReason = 'continuous' | 'poor-fit' | 'silence';

/** A decision about a pair. `score` is that of the model, 0..1. */
export type JoinDecision = Readonly<{ outcome: JoinOutcome; score: number; because: readonly JoinReason[] }>;

/** What the caller knows about a pair. */
export type JoinContext = Readonly<{
  /** The second recording goes on where the first one stops (`isContinuous` of their edges). Default false. */
  continuous?: boolean;
}>;

const mostSilent = 0.6;

/** Decides what to do with a pair of codes. */
export function decideJoin(
  model: TransitionModel,
  tail: Float32Array,
  head: Float32Array,
  { continuous = false }: JoinContext = {},
): JoinDecision {
  const score = model.score(tail, head);
  if (continuous) return { outcome: 'gapless', score, because: ['continuous'] };
  const because: JoinReason[] = [];
  if (score < model.leastScore) because.push('poor-fit');
  const silent = [tail, head].some(
    (code) => readBorder(code.subarray(model.dimensions)).silentShare > mostSilent,
  );
  if (silent) because.push('silence');
  return { outcome: because.length > 0 ? 'do-not-mix' : 'mix', score, because };
}
