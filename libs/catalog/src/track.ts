import type { CatalogId, TenantId, TrackId } from '@earmark/kernel';

/**
 * `pending`: described or being ingested, no peaks yet; `ready`: peaks are stored and it can be found; `failed`: its
 * audio could not be taken in.
 */
export type TrackStatus = 'pending' | 'ready' | 'failed';

/** A reference of the owner's own: unique within (tenant, catalog, namespace). */
export type TrackRef = Readonly<{
  /** Lower-case name of the numbering, 1..32 of `a-z 0-9 . _ -`: `isrc`, `upc`, `shop` ... */
  namespace: string;
  /** 1..200 printable characters. */
  value: string;
}>;

/** Who owns what of a recording, where and until when. */
export type RecordingRights = Readonly<{
  /** Owner or label, at most 300 characters. */
  owner?: string;
  /** Short text of the licence or contract, at most 300 characters. */
  licence?: string;
  /** ISO 3166-1 alpha-2 codes; absent = worldwide. */
  territories?: readonly string[];
  /** First and last day, `YYYY-MM-DD`; absent = unlimited. */
  validFrom?: string;
  validTo?: string;
  /** Share of the recording that the owner holds, 0..100. */
  sharePct?: number;
}>;

/** What describes a track, as its owner writes it. */
export type TrackMetadata = Readonly<{
  title?: string;
  artists: readonly string[];
  /** 12 characters, normalised. */
  isrc?: string;
  refs: readonly TrackRef[];
  rights?: RecordingRights;
  /** Whether it has explicit words; absent: not known. */
  explicit?: boolean;
}>;

/** A recording in a catalog. */
export type Track = TrackMetadata &
  Readonly<{
    id: TrackId;
    tenantId: TenantId;
    catalogId: CatalogId;
    status: TrackStatus;
    /** Path or name that the audio came from, exactly as given. */
    sourcePath?: string;
    /** Decoded length. */
    durationMs?: number;
    /** SHA-256 of the file's bytes, 64 hexadecimal digits. */
    contentHash?: string;
    /** Fingerprint configuration that made the stored peaks. */
    fingerprintConfigId?: string;
    /** Stable code and text of the failure, when `status` is `failed`. */
    error?: Readonly<{ code: string; title: string }>;
    /** Counts edits, from 1; the entity tag of REST. */
    version: number;
    createdAtMs: number;
    updatedAtMs: number;
  }>;

/** A set of tracks inside a tenant. */
export type Catalog = Readonly<{ id: CatalogId; tenantId: TenantId; name: string }>;

/** A track to create in state `pending`. */
export type NewTrack = Readonly<{
  tenantId: TenantId;
  catalogId: CatalogId;
  metadata: TrackMetadata;
  sourcePath?: string;
}>;

/** Changes to a track's description; absent fields stay, `null` clears. */
export type TrackPatch = Readonly<{
  title?: string | null;
  artists?: readonly string[];
  isrc?: string | null;
  refs?: readonly TrackRef[];
  rights?: RecordingRights | null;
  explicit?: boolean | null;
}>;

/** What ingest found out: everything that makes a track `ready`. */
export type TrackAudio = Readonly<{
  durationMs: number;
  contentHash: string;
  fingerprintConfigId: string;
  /** Encoded peaks; the fingerprint lib owns the format. */
  peaks: Uint8Array;
  sourcePath?: string;
}>;

/** Stored peaks of one track, from which hashes and verification are derived. */
export type TrackPeaks = Readonly<{
  trackId: TrackId;
  tenantId: TenantId;
  catalogId: CatalogId;
  fingerprintConfigId: string;
  durationMs: number;
  peaks: Uint8Array;
}>;
