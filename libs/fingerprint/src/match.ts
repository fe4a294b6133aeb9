import type { TrackId } from '@earmark/kernel';
import type { Verified } from './verification.js';

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

/** Agreement from which it is possible to tell a version from the recording. */
const leastVersionZ = 12;
/** Sharpness below which changed audio is another rendering: stretched and pitched recordings stay above. */
const leastSharpness = 0.58;
/** Changes below these are those of the same recording: clocks, codecs. */
const noChange = { speed: 0.004, pitch: 0.2 } as const;

/**
 * Tells another version of a composition, played or rendered at another tempo or key, from the recording: its peaks lie
 * near those of the reference but not exactly on them. At the same tempo and key echoes look alike, so there it is taken
 * for the recording.
 */
export function relationOf(line: Verified): MatchRelation {
  const changed = Math.abs(line.speed - 1) > noChange.speed || Math.abs(line.pitch) > noChange.pitch;
  return changed && line.z >= leastVersionZ && line.sharpness < leastSharpness ? 'version' : 'recording';
}
