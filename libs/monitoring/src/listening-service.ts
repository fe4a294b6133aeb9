import type { CatalogId, ScanId, TenantId, TrackId } from '@earmark/kernel';
import type { Match } from './match.js';

/** How far a long operation has come. */
export type Progress = Readonly<{
  /** What is being done: `decode`, `fingerprint`, `match`, `index` ... */
  stage: string;
  /** Units done, 0..total. Milliseconds of audio for media work. */
  done: number;
  /** Units in all; 0 while unknown. */
  total: number;
}>;

/** What is shared by all operations on media. */
export type ListeningOptions = Readonly<{
  /** Aborting stops the work and leaves nothing half-written. */
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
}>;

/** What is known about a file to ingest besides its audio. */
export type IngestMetadata = Readonly<{
  title?: string;
  artists?: readonly string[];
  isrc?: string;
  refs?: readonly Readonly<{ namespace: string; value: string }>[];
  rights?: Readonly<Record<string, unknown>>;
  explicit?: boolean;
}>;

/** A file to take into a catalog. */
export type IngestRequest = ListeningOptions &
  Readonly<{
    tenantId: TenantId;
    catalogId: CatalogId;
    /** File to read. */
    path: string;
    /** Name to store as the track's path; default `path`. An upload keeps the name its sender gave. */
    sourceName?: string;
    metadata?: IngestMetadata;
    /** Also store a recording that is already there under another id. */
    allowDuplicates?: boolean;
    /** Keep a copy of the file, because it will go. */
    keepAudio?: boolean;
    /** Give an existing track without audio (made by metadata) its audio, instead of making a new track. */
    trackId?: TrackId;
  }>;

/** How an ingest ended. `duplicate` gives the id of the recording that was already there. */
export type IngestResult = Readonly<{
  trackId: TrackId;
  durationMs: number;
  status: 'ready' | 'duplicate';
}>;

/** A file to look up. */
export type ListenRequest = ListeningOptions &
  Readonly<{
    tenantId: TenantId;
    /** Absent or empty: every catalog of the tenant. */
    catalogIds?: readonly CatalogId[];
    path: string;
  }>;

/** What a file contains. */
export type ListenResult = Readonly<{
  durationMs: number;
  matches: readonly Match[];
  /** True when the audio broke off before its declared end. */
  partial?: boolean;
}>;

/** State of the engine for health checks. */
export type EngineHealth = Readonly<{
  status: 'ok' | 'degraded' | 'down';
  details: Readonly<Record<string, string | number>>;
}>;

/** Size of what a tenant has stored. */
export type EngineStats = Readonly<{
  tracks: number;
  durationMs: number;
  index: Readonly<{ tracks: number; landmarks: number; bytes: number }>;
}>;

/**
 * The use cases over audio, as API, worker and CLI call them. The engine lib implements it over decoder, fingerprint,
 * index and stores. Failures are {@link DomainError}s with `media.*`, `catalog.*`, `index.*` codes.
 */
export interface ListeningService {
  /** Takes a file in: decoded, fingerprinted, stored with its outbox entry, findable when the promise resolves. */
  ingestFile(request: IngestRequest): Promise<IngestResult>;
  /** Looks up a short clip as one query; best match first. */
  identifyFile(request: ListenRequest): Promise<ListenResult>;
  /**
   * Finds every track inside a long file, in time order, and stores the scan with its peaks.
   *
   * `scanId` names a queued scan to carry out; absent, a scan is created.
   */
  scanFile(
    request: ListenRequest & Readonly<{ scanId?: ScanId; sourceName?: string }>,
  ): Promise<ListenResult & Readonly<{ scanId: ScanId }>>;
  /** Removes a track from catalog and index; resolves to false if there is none. */
  deleteTrack(tenantId: TenantId, trackId: TrackId): Promise<boolean>;
  health(): Promise<EngineHealth>;
  stats(tenantId: TenantId): Promise<EngineStats>;
  /** Derives the whole index again from the stored peaks. */
  rebuildIndex(options?: ListeningOptions): Promise<Readonly<{ tracks: number }>>;
  close(): Promise<void>;
}
