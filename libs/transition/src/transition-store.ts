import type { CatalogId, TenantId, TrackId } from '@earmark/kernel';
import type { Edges } from './edges.js';
import type { LoudnessCurve } from './loudness-curve.js';
import type { MixTrack } from './mix-track.js';
import type { Seam } from './seams.js';
import type { DescribedSeam, TrackProfile } from './track-profile.js';
import type { Side } from './side.js';

/** What is stored of a track for plans and answers. */
export type StoredProfile = MixTrack &
  Readonly<{
    trackId: TrackId;
    catalogId: CatalogId;
    edges: Edges;
    loudnessCurve: LoudnessCurve;
    sections: TrackProfile['analysis']['sections'];
  }>;

/** A seam to store: described, with the model's code of it. */
export type CodedSeam = DescribedSeam & Readonly<{ code: Float32Array }>;

/** A profile to store, with the versions of what made it. */
export type NewProfile = Omit<TrackProfile, 'seams'> &
  Readonly<{ analysisVersion: string; modelId: string; seams: readonly CodedSeam[] }>;

/** A stored seam; `ordinal` counts the seams of one side of a track in order of time. */
export type StoredSeam = Seam & Readonly<{ trackId: TrackId; ordinal: number; code: Float32Array }>;

/** What an index of entry points needs of a track. */
export type TrackHeads = Readonly<{
  tenantId: TenantId;
  catalogId: CatalogId;
  trackId: TrackId;
  modelId: string;
  tempoBpm?: number;
  heads: readonly Readonly<{ ordinal: number; atMs: number; strength: number; code: Float32Array }>[];
}>;

/** A track that was added, changed or removed, at its place in the log of changes; a removed one has no heads. */
export type HeadChange = Readonly<{
  sequence: number;
  tenantId: TenantId;
  trackId: TrackId;
  heads?: TrackHeads;
}>;

/** Profiles of tracks; each change is noted in the order of commits, so that indexes of other processes can follow. */
export interface TransitionStore {
  /**
   * Stores a track's profile in place of an earlier one.
   *
   * @returns false if the track is gone
   */
  save(tenantId: TenantId, trackId: TrackId, profile: NewProfile): Promise<boolean>;
  /** Profiles of tracks, in no order; tracks without one are left out. */
  find(tenantId: TenantId, trackIds: readonly TrackId[]): Promise<readonly StoredProfile[]>;
  /** All tails, or heads, of tracks: by track, then in order of time. */
  seams(tenantId: TenantId, trackIds: readonly TrackId[], side: Side): Promise<readonly StoredSeam[]>;
  /** Tracks that were added, changed or removed after a sequence, oldest first; a removed one has no heads. */
  changes(afterSequence: number, limit: number): Promise<readonly HeadChange[]>;
}

/** Counts of what listeners did at a transition. */
export type PairFeedback = Readonly<{ skips: number; completes: number }>;

/** One thing that a listener did. */
export type TransitionEvent = Readonly<{
  fromTrackId: TrackId;
  toTrackId: TrackId;
  outcome: 'skip' | 'complete';
  /** Groups the events of one listener or player. */
  session?: string;
}>;

/** What listeners did at transitions. */
export interface FeedbackStore {
  /**
   * Adds events.
   *
   * @throws {InvalidValueError} `catalog.no-such-track` if a track is unknown
   */
  add(tenantId: TenantId, events: readonly TransitionEvent[]): Promise<void>;
  /** Sums of the pairs that leave a track, by the track they lead to. */
  pairsFrom(tenantId: TenantId, fromTrackId: TrackId): Promise<ReadonlyMap<TrackId, PairFeedback>>;
  /** Tracks that a session heard last, the latest first. */
  recent(tenantId: TenantId, session: string, limit: number): Promise<readonly TrackId[]>;
}
