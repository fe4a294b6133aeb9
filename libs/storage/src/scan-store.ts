import {
  assertScanTransition,
  type MatchAlternative,
  type MatchRelation,
  type MatchRole,
  type NewScan,
  type Scan,
  type ScanPeaks,
  type ScanResult,
  type ScanState,
  type ScanStore,
  type StoredMatch,
} from '@earmark/monitoring';
import {
  InvalidValueError,
  type CatalogId,
  type MatchId,
  type ScanId,
  type TenantId,
  type TrackId,
} from '@earmark/kernel';
import type { ClientBase, Pool } from 'pg';
import { newId } from './catalog-store.js';
import type { Database } from './database.js';
import { sql, type SqlStatement } from './sql.js';

type ScanRow = {
  id: ScanId;
  tenantId: TenantId;
  catalogIds: CatalogId[];
  source: string;
  state: ScanState;
  durationMs: number | null;
  errorCode: string | null;
  errorTitle: string | null;
  createdAtMs: number;
  finishedAtMs: number | null;
};

type MatchRow = {
  id: MatchId;
  trackId: TrackId;
  path: string | null;
  title: string | null;
  queryStartMs: number;
  queryEndMs: number;
  referenceStartMs: number;
  referenceEndMs: number;
  score: number;
  probability: number;
  speedRatio: number;
  pitchCents: number;
  role: MatchRole;
  relation: MatchRelation;
  alternatives: MatchAlternative[] | null;
};

/** Scans, their matches and their peaks in PostgreSQL. */
export class PgScanStore implements ScanStore {
  private readonly database: Database;

  constructor(database: Database) {
    this.database = database;
  }

  async create(scan: NewScan): Promise<Scan> {
    const id = newId('scan');
    await this.database.pool.query(sql`
      INSERT INTO scan (tenant_id, id, catalog_ids, source)
      VALUES (${scan.tenantId}, ${id}, ${scan.catalogIds ?? []}, ${scan.source})`);
    return present(await this.findById(scan.tenantId, id), id);
  }

  async findById(tenantId: TenantId, id: ScanId): Promise<Scan | undefined> {
    return (await readScans(this.database.pool, sql`tenant_id = ${tenantId} AND id = ${id}`, 1))[0];
  }

  list(tenantId: TenantId, page: Readonly<{ limit: number; before?: ScanId }>): Promise<readonly Scan[]> {
    const older = page.before === undefined ? sql`TRUE` : sql`id < ${page.before}`;
    return readScans(this.database.pool, sql`tenant_id = ${tenantId} AND ${older}`, page.limit);
  }

  setState(
    tenantId: TenantId,
    id: ScanId,
    state: Exclude<ScanState, 'done'>,
    error?: Readonly<{ code: string; title: string }>,
  ): Promise<void> {
    return this.database.transaction(async (client) => {
      await lockForTransition(client, tenantId, id, state);
      const isFinal = state === 'failed' || state === 'cancelled';
      await client.query(sql`
        UPDATE scan
           SET state = ${state}, error_code = ${error?.code ?? null}, error_title = ${error?.title ?? null},
               finished_at = CASE WHEN ${isFinal} THEN now() END
         WHERE tenant_id = ${tenantId} AND id = ${id}`);
    });
  }

  complete(tenantId: TenantId, id: ScanId, result: ScanResult): Promise<void> {
    return this.database.transaction(async (client) => {
      await lockForTransition(client, tenantId, id, 'done');
      await insertMatches(client, tenantId, id, result);
      if (result.peaks) await insertPeaks(client, tenantId, id, result.peaks);
      await client.query(sql`
        UPDATE scan
           SET state = 'done', duration_ms = ${result.durationMs}, finished_at = now(),
               error_code = NULL, error_title = NULL
         WHERE tenant_id = ${tenantId} AND id = ${id}`);
    });
  }

  async matches(
    tenantId: TenantId,
    id: ScanId,
    page?: Readonly<{ limit: number; after?: string }>,
  ): Promise<readonly StoredMatch[]> {
    const later =
      page?.after === undefined
        ? sql`TRUE`
        : sql`ordinal > (
            SELECT ordinal FROM scan_match
             WHERE tenant_id = ${tenantId} AND scan_id = ${id} AND id = ${page.after})`;
    const { rows } = await this.database.pool.query<MatchRow>(sql`
      SELECT id, track_id AS "trackId", path, title,
             query_start_ms AS "queryStartMs", query_end_ms AS "queryEndMs",
             reference_start_ms AS "referenceStartMs", reference_end_ms AS "referenceEndMs",
             score, probability, speed_ratio AS "speedRatio", pitch_cents AS "pitchCents", role, relation,
             alternatives
        FROM scan_match
       WHERE tenant_id = ${tenantId} AND scan_id = ${id} AND ${later}
       ORDER BY ordinal
       LIMIT ${page?.limit ?? null}`);
    return rows.map(({ path, title, alternatives, ...rest }) => ({
      ...rest,
      ...(path !== null && { path }),
      ...(title !== null && { title }),
      ...(alternatives !== null && { alternatives }),
    }));
  }

  async peaks(tenantId: TenantId, id: ScanId): Promise<ScanPeaks | undefined> {
    const { rows } = await this.database.pool.query<{
      fingerprintConfigId: string;
      peaks: Buffer;
      startedAtMs: number | null;
      gaps: { startMs: number; endMs: number }[];
    }>(sql`
      SELECT fingerprint_config_id AS "fingerprintConfigId", peaks, gaps,
             (extract(epoch FROM started_at) * 1000)::bigint AS "startedAtMs"
        FROM scan_peaks
       WHERE tenant_id = ${tenantId} AND scan_id = ${id}`);
    const row = rows[0];
    if (!row) return undefined;
    const { startedAtMs, ...rest } = row;
    return { ...rest, ...(startedAtMs !== null && { startedAtMs }) };
  }
}

function present<T>(value: T | undefined, id: string): T {
  if (value === undefined)
    throw new InvalidValueError('monitoring.no-such-scan', '/id', `there is no scan ${id}`);
  return value;
}

async function readScans(pool: Pool, condition: SqlStatement, limit: number): Promise<readonly Scan[]> {
  const { rows } = await pool.query<ScanRow>(sql`
    SELECT id, tenant_id AS "tenantId", catalog_ids AS "catalogIds", source, state, duration_ms AS "durationMs",
           error_code AS "errorCode", error_title AS "errorTitle",
           (extract(epoch FROM created_at) * 1000)::bigint AS "createdAtMs",
           (extract(epoch FROM finished_at) * 1000)::bigint AS "finishedAtMs"
      FROM scan
     WHERE ${condition}
     ORDER BY id DESC
     LIMIT ${limit}`);
  return rows.map(({ durationMs, errorCode, errorTitle, finishedAtMs, ...rest }) => ({
    ...rest,
    ...(durationMs !== null && { durationMs }),
    ...(errorCode !== null && { error: { code: errorCode, title: errorTitle ?? errorCode } }),
    ...(finishedAtMs !== null && { finishedAtMs }),
  }));
}

async function lockForTransition(
  client: ClientBase,
  tenantId: TenantId,
  id: ScanId,
  to: ScanState,
): Promise<void> {
  const { rows } = await client.query<{ state: ScanState }>(sql`
    SELECT state FROM scan WHERE tenant_id = ${tenantId} AND id = ${id} FOR UPDATE`);
  assertScanTransition(present(rows[0], id).state, to);
}

async function insertMatches(
  client: ClientBase,
  tenantId: TenantId,
  scanId: ScanId,
  result: ScanResult,
): Promise<void> {
  const rows = result.matches.map((match, ordinal) => ({ ...match, id: newId('match'), ordinal }));
  await client.query(sql`
    INSERT INTO scan_match (
           tenant_id, catalog_id, scan_id, id, ordinal, track_id, path, title, query_start_ms, query_end_ms,
           reference_start_ms, reference_end_ms, score, probability, speed_ratio, pitch_cents, role, relation,
           alternatives)
    SELECT ${tenantId}, coalesce(track.catalog_id, ''), ${scanId}, m.id, m.ordinal, m."trackId", m.path, m.title,
           m."queryStartMs", m."queryEndMs", m."referenceStartMs", m."referenceEndMs", m.score, m.probability,
           m."speedRatio", m."pitchCents", m.role,
           coalesce(m.relation, 'recording'), m.alternatives
      FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS m (
             id text, ordinal integer, "trackId" text, path text, title text, "queryStartMs" bigint,
             "queryEndMs" bigint, "referenceStartMs" bigint, "referenceEndMs" bigint, score double precision,
             probability double precision, "speedRatio" double precision, "pitchCents" double precision, role text,
             relation text,
             alternatives jsonb)
      LEFT JOIN track ON track.tenant_id = ${tenantId} AND track.id = m."trackId"`);
}

async function insertPeaks(
  client: ClientBase,
  tenantId: TenantId,
  scanId: ScanId,
  peaks: ScanPeaks,
): Promise<void> {
  const bytes = Buffer.from(peaks.peaks.buffer, peaks.peaks.byteOffset, peaks.peaks.byteLength);
  const startedAt = peaks.startedAtMs === undefined ? null : new Date(peaks.startedAtMs);
  await client.query(sql`
    INSERT INTO scan_peaks (tenant_id, scan_id, fingerprint_config_id, peaks, started_at, gaps)
    VALUES (${tenantId}, ${scanId}, ${peaks.fingerprintConfigId}, ${bytes}, ${startedAt},
            ${JSON.stringify(peaks.gaps)})`);
}
