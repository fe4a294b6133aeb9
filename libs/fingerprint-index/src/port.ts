import type { CatalogId, TenantId, TrackId } from '@earmark/kernel';
import type { Landmarks, QueryLandmarks } from '@earmark/fingerprint';

/** A stretch of 30 to 60 s of one track: the unit that an index stores and finds. */
export type IndexChunk = Readonly<{
  tenantId: TenantId;
  catalogId: CatalogId;
  trackId: TrackId;
  /** Ordinal inside the track, from 0. */
  chunk: number;
  /** First analysis frame of the chunk in its track. */
  startFrame: number;
  /** `frames` are relative to `startFrame`. */
  landmarks: Landmarks;
}>;

/** What is looked for, and where. */
export type IndexQuery = Readonly<{
  tenantId: TenantId;
  /** Absent: every catalog of the tenant. */
  catalogIds?: readonly CatalogId[];
  /** Hashes to look up, neighbouring cells included. */
  landmarks: QueryLandmarks;
  /** Length of the query in analysis frames. */
  lengthFrames: number;
  /**
   * Postings that the query may read, about; an adapter that knows how often a hash occurs then leaves out the most
   * frequent ones. Absent: no limit.
   */
  postingBudget?: number;
}>;

/** A place in a track that shares landmarks with the query; not yet verified. */
export type IndexCandidate = Readonly<{
  trackId: TrackId;
  chunk: number;
  /** Matching landmarks that agree on one alignment (or, without alignment, shared hashes). */
  evidence: number;
  /** Track frame that sounds at the query's frame 0. */
  offsetFrames?: number;
  /** Reference frames per query frame. */
  speed?: number;
  /** Query pitch above reference, in cents. */
  pitchCents?: number;
}>;

/** State of an index, for health checks and `earmark stats`. */
export type IndexHealth = Readonly<{
  status: 'ok' | 'degraded' | 'down';
  tracks: number;
  chunks: number;
  landmarks: number;
  bytes: number;
  details: Readonly<Record<string, string | number>>;
}>;

/** Where a write stands in the ordered outbox that feeds the index. */
export type WriteOptions = Readonly<{
  /**
   * Number of the outbox entry, a positive integer. Remembered with the write; a write whose number is not above
   * {@link FingerprintIndex.appliedSequence} was applied before and is skipped.
   */
  sequence?: number;
}>;

/**
 * A store of landmarks that proposes where a query may come from. Never the truth: the database holds each track's
 * peaks, and an index can be rebuilt from them. Operations are idempotent.
 */
export interface FingerprintIndex {
  /**
   * Stores tracks; durable and found when the promise resolves. A call carries every chunk of each of its tracks: what
   * was stored of them before is replaced in the same step. All or nothing of a call is stored.
   */
  add(chunks: readonly IndexChunk[], options?: WriteOptions): Promise<void>;
  /** Removes all chunks of a track; durable when the promise resolves. An unknown track is no error. */
  remove(trackId: TrackId, options?: WriteOptions): Promise<void>;
  /** Proposes at most `k` places, strongest evidence first. */
  candidates(query: IndexQuery, k: number): Promise<readonly IndexCandidate[]>;
  /** Highest `sequence` that a durable write carried, or 0: where the outbox goes on. */
  appliedSequence(): Promise<number>;
  health(): Promise<IndexHealth>;
  close(): Promise<void>;
}
