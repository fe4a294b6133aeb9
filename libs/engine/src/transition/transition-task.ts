import type { TrackProfile } from '@earmark/transition';
import type { SeamWindow } from '../window-capture.js';
import type { ProfileCacheSizes } from './profile-cache.js';
import type { HeadCluster } from './transition-answers.js';
import type {
  NextRequest,
  PairScore,
  ScoreRequest,
  SequenceRequest,
  SequenceResult,
} from './transition-types.js';

/** What an answering thread is started with. */
export type TransitionWorkerData = Readonly<{
  dataDir: string;
  /** External PostgreSQL; absent: the embedded one of the data folder. */
  databaseUrl?: string;
  headCluster?: HeadCluster;
  /** What the thread keeps in memory. */
  kept: ProfileCacheSizes;
}>;

/** One question; `warm-up` only makes the thread ready. Signals do not travel with requests. */
export type TransitionTask = Readonly<
  | { kind: 'warm-up' }
  | { kind: 'next'; request: NextRequest }
  | { kind: 'score'; request: ScoreRequest }
  | { kind: 'sequence'; request: SequenceRequest }
>;

/** A question, and how many changes the asking process had made by then. */
export type TransitionQuestion = Readonly<{ task: TransitionTask; changes: number }>;

/** Answer to a {@link TransitionTask}. */
export type TransitionAnswer = Readonly<
  | { kind: 'warm-up' }
  /** A {@link NextResult} as JSON in UTF-8, as it goes to the sender. */
  | { kind: 'next'; json: Uint8Array }
  | { kind: 'score'; pairs: readonly PairScore[] }
  | { kind: 'sequence'; sequence: SequenceResult }
>;

/** What a thread cannot hear by itself. */
export type HearingQuestion = Readonly<
  { kind: 'profile'; path: string } | { kind: 'windows'; path: string; windows: readonly SeamWindow[] }
>;

/** Answer to a {@link HearingQuestion}; no profile of a recording that is too long to be a track. */
export type HearingAnswer = Readonly<
  { kind: 'profile'; profile: TrackProfile | undefined } | { kind: 'windows'; rows: Float32Array }
>;
