import type { MatchId, TrackId } from '@earmark/kernel';

/** How the found music sounds in the query. Music under noise is `background`. */
export type MatchRole = 'foreground' | 'background' | 'under-speech';

/** Every role, in the order of the contract. */
export const matchRoles: readonly MatchRole[] = ['foreground', 'background', 'under-speech'];

/** Whether the recording itself was heard, or another performance or rendering of the same composition. */
export type MatchRelation = 'recording' | 'version';

/** Every relation. */
export const matchRelations: readonly MatchRelation[] = ['recording', 'version'];

/** Another track that shares the same audio at the same place. */
export type MatchAlternative = Readonly<{
  trackId: TrackId;
  /** Calibrated probability, 0..1. */
  probability: number;
}>;

/**
 * A decided find: this stretch of the query is this stretch of that track.
 *
 * Field names are the wire format of CLI and REST; times are integer milliseconds.
 */
export type Match = Readonly<{
  trackId: TrackId;
  /** Path that the track was ingested from, exactly as it was given. */
  path?: string;
  title?: string;
  queryStartMs: number;
  queryEndMs: number;
  /** What sounds at `queryStartMs`. */
  referenceStartMs: number;
  referenceEndMs: number;
  /** Strength of the evidence, 0..1. */
  score: number;
  /** Calibrated probability that the find is right, 0..1. */
  probability: number;
  /** Reference milliseconds per query millisecond: 1.05 = the query plays 5 % faster. */
  speedRatio: number;
  /** Query above reference, in cents. */
  pitchCents: number;
  role: MatchRole;
  /** Absent: `recording`. */
  relation?: MatchRelation;
  alternatives?: readonly MatchAlternative[];
}>;

/** A match with the id under which it is stored. */
export type StoredMatch = Match & Readonly<{ id: MatchId }>;
