import {
  CatalogConflictError,
  type NewTrack,
  type Track,
  type TrackAudio,
  type TrackFilter,
  type TrackPatch,
  type TrackRef,
  type TrackStore,
} from '@earmark/catalog';
import type { CatalogId, TenantId, TrackId } from '@earmark/kernel';
import type { ClientBase } from 'pg';
import { newId } from './catalog-store.js';
import type { Database } from './database.js';
import { appendToOutbox } from './outbox.js';
import { allOf, sql, type SqlStatement } from './sql.js';
import { readTracks, trackFromRow, trackSelect } from './track-row.js';

/** Tracks in PostgreSQL. */
export class PgTrackStore implements TrackStore {
  private readonly database: Database;

  constructor(database: Database) {
    this.database = database;
  }

  async create(track: NewTrack, audio?: TrackAudio): Promise<Track> {
    const id = newId('track');
    return this.database.transaction(async (client) => {
      const { metadata } = track;
      await client.query(sql`
        INSERT INTO track (tenant_id, catalog_id, id, title, artists, isrc, rights, explicit, source_path)
        VALUES (${track.tenantId}, ${track.catalogId}, ${id}, ${metadata.title ?? null}, ${metadata.artists},
                ${metadata.isrc ?? null}, ${toJson(metadata.rights)}, ${metadata.explicit ?? null},
                ${track.sourcePath ?? null})`);
      await replaceRefs(client, track.tenantId, track.catalogId, id, metadata.refs);
      const completed = audio && (await completeInside(client, track.tenantId, id, audio));
      return completed ?? findInside(client, track.tenantId, id);
    });
  }

  findById(tenantId: TenantId, id: TrackId): Promise<Track | undefined> {
    return this.one(sql`tenant_id = ${tenantId} AND id = ${id}`);
  }

  findByIds(tenantId: TenantId, ids: readonly TrackId[]): Promise<readonly Track[]> {
    if (ids.length === 0) return Promise.resolve([]);
    return this.many(sql`tenant_id = ${tenantId} AND id = ANY(${ids})`);
  }

  findByRef(tenantId: TenantId, catalogId: CatalogId, ref: TrackRef): Promise<Track | undefined> {
    const inCatalog = sql`tenant_id = ${tenantId} AND catalog_id = ${catalogId}`;
    if (ref.namespace === 'isrc') return this.one(sql`${inCatalog} AND isrc = ${ref.value}`);
    return this.one(sql`
      ${inCatalog} AND id = (
        SELECT track_id
          FROM track_ref
         WHERE ${inCatalog} AND namespace = ${ref.namespace} AND value = ${ref.value})`);
  }

  findByContentHash(
    tenantId: TenantId,
    catalogId: CatalogId,
    contentHash: string,
  ): Promise<readonly Track[]> {
    return this.many(sql`
      tenant_id = ${tenantId} AND catalog_id = ${catalogId} AND content_hash = ${contentHash} AND status = 'ready'`);
  }

  list(
    tenantId: TenantId,
    filter: TrackFilter,
    page: Readonly<{ limit: number; after?: TrackId }>,
  ): Promise<readonly Track[]> {
    const conditions = [sql`tenant_id = ${tenantId}`];
    if (filter.catalogIds) conditions.push(sql`catalog_id = ANY(${filter.catalogIds})`);
    if (filter.status !== undefined) conditions.push(sql`status = ${filter.status}`);
    if (filter.isrc !== undefined) conditions.push(sql`isrc = ${filter.isrc}`);
    if (page.after !== undefined) conditions.push(sql`id > ${page.after}`);
    return this.many(allOf(conditions), page.limit);
  }

  update(tenantId: TenantId, id: TrackId, patch: TrackPatch, ifVersion?: number): Promise<Track | undefined> {
    return this.database.transaction(async (client) => {
      const locked = await client.query<{ version: number; catalogId: CatalogId }>(sql`
        SELECT version, catalog_id AS "catalogId"
          FROM track
         WHERE tenant_id = ${tenantId} AND id = ${id}
           FOR UPDATE`);
      const row = locked.rows[0];
      if (!row) return undefined;
      if (ifVersion !== undefined && row.version !== ifVersion) {
        const message = `the track has version ${row.version}, not ${ifVersion}`;
        throw new CatalogConflictError('catalog.version-changed', message, undefined, id);
      }
      const sets = [sql`version = version + 1`, sql`updated_at = now()`];
      if (patch.title !== undefined) sets.push(sql`title = ${patch.title}`);
      if (patch.artists !== undefined) sets.push(sql`artists = ${patch.artists}`);
      if (patch.isrc !== undefined) sets.push(sql`isrc = ${patch.isrc}`);
      if (patch.explicit !== undefined) sets.push(sql`explicit = ${patch.explicit}`);
      if (patch.rights !== undefined) sets.push(sql`rights = ${toJson(patch.rights ?? undefined)}`);
      const assignments = sets.reduce((left, right) => sql`${left}, ${right}`);
      await client.query(sql`UPDATE track SET ${assignments} WHERE tenant_id = ${tenantId} AND id = ${id}`);
      if (patch.refs) await replaceRefs(client, tenantId, row.catalogId, id, patch.refs);
      return findInside(client, tenantId, id);
    });
  }

  complete(tenantId: TenantId, id: TrackId, audio: TrackAudio): Promise<Track | undefined> {
    return this.database.transaction((client) => completeInside(client, tenantId, id, audio));
  }

  async fail(
    tenantId: TenantId,
    id: TrackId,
    error: Readonly<{ code: string; title: string }>,
  ): Promise<void> {
    await this.database.pool.query(sql`
      UPDATE track
         SET status = 'failed', error_code = ${error.code}, error_title = ${error.title},
             version = version + 1, updated_at = now()
       WHERE tenant_id = ${tenantId} AND id = ${id} AND status <> 'ready'`);
  }

  remove(tenantId: TenantId, id: TrackId): Promise<boolean> {
    return this.database.transaction(async (client) => {
      const deleted = await client.query<{ catalogId: CatalogId }>(sql`
        DELETE FROM track
         WHERE tenant_id = ${tenantId} AND id = ${id}
        RETURNING catalog_id AS "catalogId"`);
      const catalogId = deleted.rows[0]?.catalogId;
      if (catalogId === undefined) return false;
      await appendToOutbox(client, { op: 'remove', tenantId, catalogId, trackId: id });
      return true;
    });
  }

  async totals(tenantId: TenantId): Promise<Readonly<{ tracks: number; durationMs: number }>> {
    const { rows } = await this.database.pool.query<{ tracks: number; durationMs: number }>(sql`
      SELECT count(*) AS tracks, coalesce(sum(duration_ms), 0)::bigint AS "durationMs"
        FROM track
       WHERE tenant_id = ${tenantId} AND status = 'ready'`);
    return rows[0] ?? { tracks: 0, durationMs: 0 };
  }

  private async one(condition: SqlStatement): Promise<Track | undefined> {
    return (await this.many(condition, 1))[0];
  }

  private many(condition: SqlStatement, limit = 10_000): Promise<readonly Track[]> {
    return readTracks(this.database.pool, condition, limit);
  }
}

async function completeInside(
  client: ClientBase,
  tenantId: TenantId,
  id: TrackId,
  audio: TrackAudio,
): Promise<Track | undefined> {
  const updated = await client.query<{ catalogId: CatalogId }>(sql`
    UPDATE track
       SET status = 'ready', duration_ms = ${audio.durationMs}, content_hash = ${audio.contentHash},
           fingerprint_config_id = ${audio.fingerprintConfigId},
           source_path = coalesce(${audio.sourcePath ?? null}, source_path),
           error_code = NULL, error_title = NULL, version = version + 1, updated_at = now()
     WHERE tenant_id = ${tenantId} AND id = ${id}
    RETURNING catalog_id AS "catalogId"`);
  const catalogId = updated.rows[0]?.catalogId;
  if (catalogId === undefined) return undefined;
  await client.query(sql`
    INSERT INTO track_peaks (tenant_id, catalog_id, track_id, fingerprint_config_id, duration_ms, peaks)
    VALUES (${tenantId}, ${catalogId}, ${id}, ${audio.fingerprintConfigId}, ${audio.durationMs},
            ${asBuffer(audio.peaks)})
    ON CONFLICT (tenant_id, catalog_id, track_id) DO UPDATE
       SET fingerprint_config_id = excluded.fingerprint_config_id,
           duration_ms = excluded.duration_ms,
           peaks = excluded.peaks`);
  const track = await findInside(client, tenantId, id);
  await appendToOutbox(client, { op: 'add', tenantId, catalogId, trackId: id });
  return track;
}

async function findInside(client: ClientBase, tenantId: TenantId, id: TrackId): Promise<Track> {
  const { rows } = await client.query(trackSelect(sql`tenant_id = ${tenantId} AND id = ${id}`, 1));
  return trackFromRow(rows[0]);
}

async function replaceRefs(
  client: ClientBase,
  tenantId: TenantId,
  catalogId: CatalogId,
  trackId: TrackId,
  refs: readonly TrackRef[],
): Promise<void> {
  await client.query(sql`
    DELETE FROM track_ref WHERE tenant_id = ${tenantId} AND catalog_id = ${catalogId} AND track_id = ${trackId}`);
  if (refs.length === 0) return;
  const namespaces = refs.map((ref) => ref.namespace);
  const values = refs.map((ref) => ref.value);
  await client.query(sql`
    INSERT INTO track_ref (tenant_id, catalog_id, namespace, value, track_id)
    SELECT ${tenantId}, ${catalogId}, namespace, value, ${trackId}
      FROM unnest(${namespaces}::text[], ${values}::text[]) AS ref (namespace, value)
    ON CONFLICT (tenant_id, catalog_id, namespace, value) DO NOTHING`);
  const held = await client.query<{ namespace: string; value: string; trackId: TrackId }>(sql`
    SELECT namespace, value, track_id AS "trackId"
      FROM track_ref
     WHERE tenant_id = ${tenantId} AND catalog_id = ${catalogId}
       AND (namespace, value) IN (SELECT * FROM unnest(${namespaces}::text[], ${values}::text[]))
       AND track_id <> ${trackId}`);
  const other = held.rows[0];
  if (other) {
    throw new CatalogConflictError(
      'catalog.ref-taken',
      `${other.namespace}:${other.value} belongs to another track`,
      '/refs',
      other.trackId,
    );
  }
}

function toJson(value: unknown): string | null {
  return value === undefined ? null : JSON.stringify(value);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
