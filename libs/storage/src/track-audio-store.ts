import type { TenantId, TrackId } from '@earmark/kernel';
import type { Pool } from 'pg';
import { sql } from './sql.js';

/** Where a track's audio lies: a file of the owner's (absolute path), or a copy kept in the data folder (relative to it). */
export type TrackAudioPlace = Readonly<{ path: string; kept: boolean }>;

/** Places of tracks' audio in PostgreSQL. */
export class PgTrackAudioStore {
  private readonly pool: Pool;

  constructor(pool: Pool) {
    this.pool = pool;
  }

  /** Notes where a track's audio lies, in place of what was noted before; nothing if the track is gone. */
  async save(tenantId: TenantId, trackId: TrackId, place: TrackAudioPlace): Promise<void> {
    await this.pool.query(sql`
      INSERT INTO track_audio (tenant_id, catalog_id, track_id, kept, path)
      SELECT tenant_id, catalog_id, id, ${place.kept}, ${place.path}
        FROM track
       WHERE tenant_id = ${tenantId} AND id = ${trackId}
      ON CONFLICT (tenant_id, catalog_id, track_id) DO UPDATE SET kept = excluded.kept, path = excluded.path`);
  }

  /** Where a track's audio lies; absent if that was never noted. */
  async find(tenantId: TenantId, trackId: TrackId): Promise<TrackAudioPlace | undefined> {
    const { rows } = await this.pool.query<TrackAudioPlace>(sql`
      SELECT path, kept FROM track_audio WHERE tenant_id = ${tenantId} AND track_id = ${trackId}`);
    return rows[0];
  }

  /** Whether any track of any tenant still needs a kept copy. */
  async isKept(path: string): Promise<boolean> {
    const { rows } = await this.pool.query<{ used: boolean }>(sql`
      SELECT EXISTS (SELECT FROM track_audio WHERE kept AND path = ${path}) AS used`);
    return rows[0]?.used ?? false;
  }
}
