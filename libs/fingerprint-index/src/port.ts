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
  landmarks: QueryLandmarks;
  /** Length of the query in analysis frames. */
  lengthFrames: number;
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

/**
 * A store of landmarks that proposes where a query may come from. Never the truth: the database holds each track's
 * peaks, and an index can be rebuilt from them. Operations are idempotent.
 */
export interface FingerprintIndex {
  /** Stores chunks; durable when the promise resolves. Chunks of a track already there are replaced. */
  add(chunks: readonly IndexChunk[]): Promise<void>;
  /** Removes all chunks of a track; durable when the promise resolves. */
  remove(trackId: TrackId): Promise<void>;
  /** Proposes at most `k` places, strongest evidence first. */
  candidates(query: IndexQuery, k: number): Promise<readonly IndexCandidate[]>;
  health(): Promise<IndexHealth>;
  close(): Promise<void>;
}
