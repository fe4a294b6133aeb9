import type { TrackId } from '@earmark/kernel';

/** How the music stands in the mix. */
export type MatchRole = 'foreground' | 'background' | 'under-speech';

/** Whether the recording itself was heard, or another performance or rendering of the same composition. */
export type MatchRelation = 'recording' | 'version';

/** A stretch of the query in which a track sounds; the fields of MATCH in the contracts. */
export type Match = Readonly<{
  trackId: TrackId;
  queryStartMs: number;
  queryEndMs: number;
  /** What sounds at `queryStartMs`. */
  referenceStartMs: number;
  /** What sounds at `queryEndMs`. */
  referenceEndMs: number;
  /** Standard deviations ahead of chance. */
  score: number;
  /** Calibrated, 0..1. */
  probability: number;
  /** Reference milliseconds per query millisecond: 1.05 when the query plays 5 % faster. */
  speedRatio: number;
  /** Query above reference. */
  pitchCents: number;
  role: MatchRole;
  relation: MatchRelation;
  /** Other tracks that share the audio, best first. */
  alternatives?: readonly Readonly<{ trackId: TrackId; probability: number }>[];
}>;
