import type { CatalogId, TenantId, TrackId } from '@earmark/kernel';
import type { EnergyPoint, MixPlan, Reason } from '@earmark/transition';
import type { PreviewFormat } from './preview-task.js';

/** Where to go on from: a track of the catalog, or any file; `atMs` is where the transition shall begin. */
export type TransitionFrom = Readonly<({ trackId: TrackId } | { path: string }) & { atMs?: number }>;

/** What comes next: a track of the catalog, or any file. */
export type TransitionTo = Readonly<{ trackId: TrackId } | { path: string }>;

/** Most of the beginning of a next track that may be left out unless the caller says otherwise, ms. */
export const defaultMaxSkipMs = 90_000;

/** What may come next. */
export type NextFilter = Readonly<{
  /** Absent or empty: every catalog of the tenant. */
  catalogIds?: readonly CatalogId[];
  /** Beats a minute; half and double tempo count as well. Tracks without a sure beat are left out. */
  tempoBpm?: Readonly<{ min: number; max: number }>;
  /** `false` leaves out tracks that are marked as explicit. */
  explicit?: boolean;
  /** ISO 3166-1 alpha-2 code of a market in which a track must be available today. */
  market?: string;
}>;

/** How keys may follow each other: any, neighbours on the circle of fifths, or the same (relatives included). */
export type KeyRule = 'any' | 'compatible' | 'same';

/** Limits of the caller. */
export type NextConstraints = Readonly<{
  /** Most of the end of the first track that may be lost, ms. */
  maxCutMs?: number;
  /** Most of the beginning of the next track that may be left out, ms. Default 90,000. */
  maxSkipMs?: number;
  /** Largest change of speed, percent, 0..6. Default 6. */
  tempoShiftPct?: number;
  keyRule?: KeyRule;
  /** How many tracks must lie between two of one artist. Default 0. */
  artistGap?: number;
  /** Let no singing or speech of the two tracks sound at once. Default false. */
  keepVocals?: boolean;
}>;

/** A question for the next track. */
export type NextRequest = Readonly<{
  tenantId: TenantId;
  from: TransitionFrom;
  /** Most answers, 1..100. Default 10. */
  k?: number;
  /** Only these tracks may come next. */
  candidates?: readonly TrackId[];
  filter?: NextFilter;
  constraints?: NextConstraints;
  /** What was played before, the latest last; none of it is offered again. */
  history?: readonly TrackId[];
  /** A listener or player whose latest tracks, known by feedback, are not offered again. */
  session?: string;
  /** Whether what listeners did changes the order. Default true. */
  feedback?: boolean;
  /** How much answers shall differ from each other, 0..1. Default 0.2. */
  diversity?: number;
  signal?: AbortSignal;
}>;

/**
 * What to do with a pair: `mix` as the plan says, `gapless` because the second recording goes on where the first one stops,
 * or `do-not-mix` because they do not fit.
 */
export type TransitionOutcome = 'mix' | 'gapless' | 'do-not-mix';

/** A pair with its score, plan and reasons. */
export type ScoredTransition = Readonly<{
  trackId: TrackId;
  title?: string;
  artists: readonly string[];
  /** 0..1, what the order follows: confidence and what listeners did. */
  score: number;
  /** How sure the model is that the pair fits, 0..1. */
  confidence: number;
  outcome: TransitionOutcome;
  cueInMs: number;
  plan: MixPlan;
  /** Largest effect first. */
  reasons: readonly Reason[];
}>;

/** A transition to render. */
export type PreviewRequest = Readonly<{
  tenantId: TenantId;
  from: TransitionFrom;
  to: TransitionTo;
  constraints?: NextConstraints;
  format?: PreviewFormat;
  signal?: AbortSignal;
}>;

/** Pairs to judge. */
export type ScoreRequest = Readonly<{
  tenantId: TenantId;
  pairs: readonly Readonly<{ from: TransitionFrom; to: TransitionTo }>[];
  constraints?: NextConstraints;
  signal?: AbortSignal;
}>;

/** A judged pair. */
export type PairScore = Omit<ScoredTransition, 'trackId' | 'title' | 'artists' | 'score'> &
  Readonly<{ cueOutMs: number }>;

/** Tracks to order. */
export type SequenceRequest = Readonly<{
  tenantId: TenantId;
  trackIds: readonly TrackId[];
  /** Wanted energy among these tracks, 0..1, at shares of the sequence, 0..1. */
  curve?: readonly EnergyPoint[];
  /** Positions from 0; -1 is the last one. */
  pins?: readonly Readonly<{ trackId: TrackId; position: number }>[];
  /** Tracks that follow each other without a break. */
  locks?: readonly (readonly TrackId[])[];
  /** Longest total, ms. */
  budgetMs?: number;
  constraints?: NextConstraints;
}>;

/** Tracks in order; `score` says how well a track follows the one before it. */
export type SequenceResult = Readonly<{
  tracks: readonly Readonly<{ trackId: TrackId; durationMs: number; energy: number; score?: number }>[];
  leftOut: readonly TrackId[];
  durationMs: number;
}>;

/** The answer, best first. */
export type NextResult = Readonly<{
  from: Readonly<{ trackId?: TrackId; cueOutMs: number }>;
  candidates: readonly ScoredTransition[];
}>;
