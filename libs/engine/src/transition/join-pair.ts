import { decideJoin, explainPair, isContinuous, planMix, type TransitionModel } from '@earmark/transition';
import type { MixSide, Tail } from './tail-source.js';
import type { NextConstraints, ScoredTransition } from './transition-types.js';

/** Largest share by which a speed may change, as the contract limits it. */
const mostTempoShift = 0.06;

/** Where the second track is entered. */
export type Head = Readonly<{ profile: MixSide; code: Float32Array; atMs: number }>;

/**
 * Decides what to do with a pair, plans it and says why.
 *
 * @param wantedMs place that the caller named for the start of the transition
 */
export function joinPair(
  model: TransitionModel,
  tail: Tail,
  head: Head,
  { maxCutMs, tempoShiftPct, keepVocals }: NextConstraints,
  wantedMs?: number,
): Pick<ScoredTransition, 'confidence' | 'outcome' | 'cueInMs' | 'plan' | 'reasons'> {
  const continuous =
    head.atMs < 1_000 &&
    wantedMs === undefined &&
    isContinuous(tail.side.edges.end, head.profile.edges.start);
  const { outcome, score } = decideJoin(model, tail.code, head.code, { continuous });
  const plan = planMix(tail.side, head.profile, {
    cueInMs: head.atMs,
    tailEndMs: tail.atMs,
    outcome,
    ...(maxCutMs !== undefined && { maxCutMs }),
    ...(tempoShiftPct !== undefined && { maxTempoShift: Math.min(mostTempoShift, tempoShiftPct / 100) }),
    ...(keepVocals !== undefined && { keepVocals }),
    ...(wantedMs !== undefined && { cueOutMs: wantedMs }),
  });
  return {
    confidence: score,
    outcome,
    cueInMs: plan.cueInMs,
    plan,
    reasons: explainPair(model, tail.code, head.code),
  };
}
