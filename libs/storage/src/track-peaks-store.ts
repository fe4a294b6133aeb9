import type { TrackPeaks, TrackPeaksStore } from '@earmark/catalog';
import type { TrackId } from '@earmark/kernel';
import type { Pool } from 'pg';
import { sql, type SqlStatement } from './sql.js';

/** Peaks of ready tracks in PostgreSQL. */
export class PgTrackPeaksStore implements TrackPeaksStore {
  private readonly pool: Pool;

  constructor(pool: Pool) {
    this.pool = pool;
  }

  findMany(trackIds: readonly TrackId[]): Promise<readonly TrackPeaks[]> {
    if (trackIds.length === 0) return Promise.resolve([]);
    return this.read(sql`track_id = ANY(${trackIds})`, trackIds.length);
  }

  list(page: Readonly<{ limit: number; after?: TrackId }>): Promise<readonly TrackPeaks[]> {
    return this.read(sql`track_id > ${page.after ?? ''}`, page.limit);
  }

  private async read(condition: SqlStatement, limit: number): Promise<readonly TrackPeaks[]> {
    const { rows } = await this.pool.query<TrackPeaks>(sql`
      SELECT track_id AS "trackId", tenant_id AS "tenantId", catalog_id AS "catalogId",
             fingerprint_config_id AS "fingerprintConfigId", duration_ms AS "durationMs", peaks
        FROM track_peaks
       WHERE ${condition}
       ORDER BY track_id
       LIMIT ${limit}`);
    return rows;
  }
}
