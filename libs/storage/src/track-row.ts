import type { RecordingRights, Track, TrackRef, TrackStatus } from '@earmark/catalog';
import type { CatalogId, TenantId, TrackId } from '@earmark/kernel';
import type { Pool } from 'pg';
import { sql, type SqlStatement } from './sql.js';

type TrackRow = {
  id: TrackId;
  tenantId: TenantId;
  catalogId: CatalogId;
  status: TrackStatus;
  title: string | null;
  artists: string[];
  isrc: string | null;
  rights: RecordingRights | null;
  explicit: boolean | null;
  refs: TrackRef[];
  sourcePath: string | null;
  durationMs: number | null;
  contentHash: string | null;
  fingerprintConfigId: string | null;
  errorCode: string | null;
  errorTitle: string | null;
  version: number;
  createdAtMs: number;
  updatedAtMs: number;
};

/** Selects tracks with their references, oldest first. */
export function trackSelect(condition: SqlStatement, limit: number): SqlStatement {
  return sql`
    SELECT id, tenant_id AS "tenantId", catalog_id AS "catalogId", status, title, artists, isrc, rights, explicit,
           source_path AS "sourcePath", duration_ms AS "durationMs", content_hash AS "contentHash",
           fingerprint_config_id AS "fingerprintConfigId", error_code AS "errorCode", error_title AS "errorTitle",
           version,
           (extract(epoch FROM created_at) * 1000)::bigint AS "createdAtMs",
           (extract(epoch FROM updated_at) * 1000)::bigint AS "updatedAtMs",
           ARRAY(
             SELECT json_build_object('namespace', r.namespace, 'value', r.value)
               FROM track_ref AS r
              WHERE r.tenant_id = track.tenant_id AND r.catalog_id = track.catalog_id AND r.track_id = track.id
              ORDER BY r.namespace, r.value
           ) AS refs
      FROM track
     WHERE ${condition}
     ORDER BY id
     LIMIT ${limit}`;
}

/** Runs {@link trackSelect}. */
export async function readTracks(
  pool: Pool,
  condition: SqlStatement,
  limit: number,
): Promise<readonly Track[]> {
  const { rows } = await pool.query(trackSelect(condition, limit));
  return rows.map(trackFromRow);
}

/** Turns a row of {@link trackSelect} into a track: NULL becomes absent. */
export function trackFromRow(untyped: unknown): Track {
  const row = untyped as TrackRow;
  return {
    id: row.id,
    tenantId: row.tenantId,
    catalogId: row.catalogId,
    status: row.status,
    artists: row.artists,
    refs: row.refs,
    version: row.version,
    createdAtMs: row.createdAtMs,
    updatedAtMs: row.updatedAtMs,
    ...(row.title !== null && { title: row.title }),
    ...(row.isrc !== null && { isrc: row.isrc }),
    ...(row.rights !== null && { rights: row.rights }),
    ...(row.explicit !== null && { explicit: row.explicit }),
    ...(row.sourcePath !== null && { sourcePath: row.sourcePath }),
    ...(row.durationMs !== null && { durationMs: row.durationMs }),
    ...(row.contentHash !== null && { contentHash: row.contentHash }),
    ...(row.fingerprintConfigId !== null && { fingerprintConfigId: row.fingerprintConfigId }),
    ...(row.errorCode !== null && { error: { code: row.errorCode, title: row.errorTitle ?? row.errorCode } }),
  };
}
