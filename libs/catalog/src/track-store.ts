import type { CatalogId, TenantId, TrackId } from '@earmark/kernel';
import type {
  Catalog,
  NewTrack,
  Track,
  TrackAudio,
  TrackPatch,
  TrackPeaks,
  TrackRef,
  TrackStatus,
} from './track.js';

/** What a list of tracks is narrowed by. */
export type TrackFilter = Readonly<{
  catalogIds?: readonly CatalogId[];
  status?: TrackStatus;
  isrc?: string;
}>;

/** Tenants and their named catalogs. */
export interface CatalogStore {
  /** Finds or makes the tenant of that name. */
  ensureTenant(name: string): Promise<TenantId>;
  /** Finds or makes the catalog of that name. */
  ensureCatalog(tenantId: TenantId, name: string): Promise<Catalog>;
  findCatalog(tenantId: TenantId, name: string): Promise<Catalog | undefined>;
  listCatalogs(tenantId: TenantId): Promise<readonly Catalog[]>;
}

/** Tracks and their descriptions. Every change that the index must know of writes its outbox entry in the same transaction. */
export interface TrackStore {
  /**
   * Stores a track: in state `pending`, or with its audio, in the same transaction, as {@link complete} does.
   *
   * @throws {CatalogConflictError} `catalog.ref-taken`
   */
  create(track: NewTrack, audio?: TrackAudio): Promise<Track>;
  findById(tenantId: TenantId, id: TrackId): Promise<Track | undefined>;
  /** Finds many at once, in no order; unknown ids are left out. */
  findByIds(tenantId: TenantId, ids: readonly TrackId[]): Promise<readonly Track[]>;
  findByRef(tenantId: TenantId, catalogId: CatalogId, ref: TrackRef): Promise<Track | undefined>;
  /** Finds ready tracks made of exactly these bytes, oldest first. */
  findByContentHash(tenantId: TenantId, catalogId: CatalogId, contentHash: string): Promise<readonly Track[]>;
  /** Oldest first (ids sort by time); `after` is the id of the last track of the previous page. */
  list(
    tenantId: TenantId,
    filter: TrackFilter,
    page: Readonly<{ limit: number; after?: TrackId }>,
  ): Promise<readonly Track[]>;
  /**
   * Edits the description.
   *
   * @param ifVersion edit only this version
   * @returns absent if there is no such track
   * @throws {CatalogConflictError} `catalog.version-changed`, `catalog.ref-taken`
   */
  update(tenantId: TenantId, id: TrackId, patch: TrackPatch, ifVersion?: number): Promise<Track | undefined>;
  /**
   * Stores peaks and facts of the audio, sets the state to `ready` and writes an `add` to the outbox.
   *
   * @returns absent if the track was deleted meanwhile
   */
  complete(tenantId: TenantId, id: TrackId, audio: TrackAudio): Promise<Track | undefined>;
  /** Records why the audio could not be taken in. */
  fail(tenantId: TenantId, id: TrackId, error: Readonly<{ code: string; title: string }>): Promise<void>;
  /** Removes a track with its peaks and writes a `remove` to the outbox; false if there is none. */
  remove(tenantId: TenantId, id: TrackId): Promise<boolean>;
  /** Number and total length of the tenant's ready tracks. */
  totals(tenantId: TenantId): Promise<Readonly<{ tracks: number; durationMs: number }>>;
}

/** Peaks of ready tracks. */
export interface TrackPeaksStore {
  /** Peaks of many tracks at once, in no order; unknown ids are left out. */
  findMany(trackIds: readonly TrackId[]): Promise<readonly TrackPeaks[]>;
  /** All peaks of every tenant, ordered by track id, for a rebuild. */
  list(page: Readonly<{ limit: number; after?: TrackId }>): Promise<readonly TrackPeaks[]>;
}

/** A change that indexes must follow. */
export type OutboxEntry = Readonly<{
  /** Strictly rising in commit order; gaps are possible. */
  sequence: number;
  op: 'add' | 'remove';
  tenantId: TenantId;
  catalogId: CatalogId;
  trackId: TrackId;
}>;

/**
 * The ordered list of changes. Entries become visible in the order of their sequence, so a reader that has applied
 * everything up to N misses nothing by asking for what comes after N.
 */
export interface Outbox {
  /** Entries after `afterSequence`, oldest first. */
  read(afterSequence: number, limit: number): Promise<readonly OutboxEntry[]>;
  /** Highest sequence so far; 0 when empty. */
  head(): Promise<number>;
  /** What the consumer last recorded as applied; 0 at first. */
  position(consumer: string): Promise<number>;
  /** Records that the consumer has applied everything up to `sequence`; never goes back unless `reset`. */
  advance(consumer: string, sequence: number, options?: Readonly<{ reset?: boolean }>): Promise<void>;
}
