import type { MatchId, ScanId, TenantId, TrackId } from '@earmark/kernel';
import type { Pool } from 'pg';
import { sql } from './sql.js';

/** A find of a track in a scan, on the track's own axis. */
export type TrackMatch = Readonly<{
  id: MatchId;
  scanId: ScanId;
  /** Part of the track that was heard. */
  startMs: number;
  endMs: number;
  /** Where it was heard in what was scanned. */
  queryStartMs: number;
  queryEndMs: number;
  probability: number;
  role: string;
}>;

/** The latest finds of a track, in the order of its own time. */
export async function matchesOfTrack(
  pool: Pool,
  tenantId: TenantId,
  trackId: TrackId,
  limit: number,
): Promise<readonly TrackMatch[]> {
  const { rows } = await pool.query<TrackMatch>(sql`
    SELECT *
      FROM (SELECT m.id, m.scan_id AS "scanId", m.reference_start_ms AS "startMs", m.reference_end_ms AS "endMs",
                   m.query_start_ms AS "queryStartMs", m.query_end_ms AS "queryEndMs", m.probability, m.role
              FROM scan_match m
              JOIN track t ON (t.tenant_id, t.catalog_id, t.id) = (m.tenant_id, m.catalog_id, m.track_id)
             WHERE m.tenant_id = ${tenantId} AND m.track_id = ${trackId}
             ORDER BY m.scan_id DESC, m.ordinal
             LIMIT ${limit}) AS latest
     ORDER BY "startMs", "scanId", id`);
  return rows;
}
