import type { CuePoint, Key, Loudness } from '@earmark/analysis';
import type { LoudnessCurve } from './loudness-curve.js';

/** A stretch of time, ms. */
export type TimeSpan = Readonly<{ startMs: number; endMs: number }>;

/** What a plan needs to know of a track: a part of its analysis. Times are milliseconds. */
export type MixTrack = Readonly<{
  durationMs: number;
  tempoBpm?: number;
  tempoConfidence: number;
  beatsMs: readonly number[];
  downbeatsMs: readonly number[];
  key?: Key;
  loudness: Loudness;
  cues: readonly CuePoint[];
  /** Loudness of each second; absent: taken as constant. */
  loudnessCurve?: LoudnessCurve;
  /** Where somebody sings or speaks; absent: not known, taken as nowhere. */
  vocals?: readonly TimeSpan[];
}>;
