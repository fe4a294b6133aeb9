import type { CatalogId, ScanId, TenantId } from '@earmark/kernel';
import { InvalidValueError } from '@earmark/kernel';
import type { Match, StoredMatch } from './match.js';

/**
 * Where a scan stands: `queued` -> `running` -> `done`, `failed` or `cancelled`. A later attempt may run one again
 * that failed, was cancelled or lost its worker; `done` is final.
 */
export type ScanState = 'queued' | 'running' | 'done' | 'failed' | 'cancelled';

/** Which state may follow which. */
export const scanTransitions: Readonly<Record<ScanState, readonly ScanState[]>> = {
  queued: ['running', 'failed', 'cancelled'],
  running: ['queued', 'running', 'done', 'failed', 'cancelled'],
  done: [],
  failed: ['running'],
  cancelled: ['running'],
};

/** Tells whether a scan in `from` may go to `to`. */
export function canScanBecome(from: ScanState, to: ScanState): boolean {
  return scanTransitions[from].includes(to);
}

/**
 * Checks a change of state.
 *
 * @throws {InvalidValueError} `monitoring.bad-transition` if `to` does not follow `from`
 */
export function assertScanTransition(from: ScanState, to: ScanState): void {
  if (!canScanBecome(from, to)) {
    throw new InvalidValueError(
      'monitoring.bad-transition',
      '/state',
      `a scan cannot go from ${from} to ${to}`,
    );
  }
}

/** One pass of a file, video or recorded stream against the catalogs. */
export type Scan = Readonly<{
  id: ScanId;
  tenantId: TenantId;
  /** Catalogs that were searched; empty = every catalog of the tenant. */
  catalogIds: readonly CatalogId[];
  /** Name of what was scanned: a path as given, or the uploaded file's name. */
  source: string;
  state: ScanState;
  durationMs?: number;
  /** Stable code and text of the failure, when `state` is `failed`. */
  error?: Readonly<{ code: string; title: string }>;
  createdAtMs: number;
  finishedAtMs?: number;
}>;

/**
 * The scanned audio's own peaks, kept at index density so that later tracks can be matched against past scans.
 */
export type ScanPeaks = Readonly<{
  /** Fingerprint configuration that made the peaks. */
  fingerprintConfigId: string;
  /** Encoded peaks; the fingerprint lib owns the format. */
  peaks: Uint8Array;
  /** Wall-clock time of query millisecond 0; absent for files without one. */
  startedAtMs?: number;
  /** Stretches without audio inside the scan. */
  gaps: readonly Readonly<{ startMs: number; endMs: number }>[];
}>;

/** What a scan asks for. */
export type NewScan = Readonly<{
  tenantId: TenantId;
  catalogIds?: readonly CatalogId[];
  source: string;
}>;

/** How a scan ended well. */
export type ScanResult = Readonly<{
  durationMs: number;
  matches: readonly Match[];
  peaks?: ScanPeaks;
}>;

/** Keeps scans, their matches and their peaks. Adapters: PostgreSQL. */
export interface ScanStore {
  /** Stores a scan in state `queued`. */
  create(scan: NewScan): Promise<Scan>;
  findById(tenantId: TenantId, id: ScanId): Promise<Scan | undefined>;
  /** Newest first; `before` is the id of the last scan of the previous page. */
  list(tenantId: TenantId, page: Readonly<{ limit: number; before?: ScanId }>): Promise<readonly Scan[]>;
  /**
   * Moves a scan to a state without a result.
   *
   * @throws {InvalidValueError} `monitoring.bad-transition`
   */
  setState(
    tenantId: TenantId,
    id: ScanId,
    state: Exclude<ScanState, 'done'>,
    error?: Readonly<{ code: string; title: string }>,
  ): Promise<void>;
  /** Stores matches and peaks and sets the state to `done`, all in one transaction. */
  complete(tenantId: TenantId, id: ScanId, result: ScanResult): Promise<void>;
  /** Matches in query time order; `after` is the id of the last match of the previous page. */
  matches(
    tenantId: TenantId,
    id: ScanId,
    page?: Readonly<{ limit: number; after?: string }>,
  ): Promise<readonly StoredMatch[]>;
  peaks(tenantId: TenantId, id: ScanId): Promise<ScanPeaks | undefined>;
}
