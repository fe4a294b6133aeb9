import { DomainError, type TenantId, type UploadId } from '@earmark/kernel';
import type { Pool } from 'pg';
import { newId } from './catalog-store.js';
import type { Database } from './database.js';
import { sql } from './sql.js';

/** A resumable upload; the bytes lie in a file, this says how many of them count. */
export type Upload = Readonly<{
  id: UploadId;
  tenantId: TenantId;
  fileName: string;
  lengthBytes: number;
  /** Bytes received and safe. */
  offsetBytes: number;
  /** Expected SHA-256 of the whole, 64 hexadecimal digits. */
  sha256?: string;
  state: 'open' | 'complete';
  createdAtMs: number;
  expiresAtMs: number;
}>;

/** Codes of {@link UploadError}. */
export type UploadErrorCode = 'upload.offset-mismatch' | 'upload.busy';

/** A part of an upload that does not fit what is there. */
export class UploadError extends DomainError {
  constructor(
    readonly code: UploadErrorCode,
    message: string,
    /** Offset at which the upload goes on. */
    readonly offsetBytes: number,
  ) {
    super(message);
  }
}

type UploadRow = Omit<Upload, 'sha256'> & { sha256: string | null };

const columns = sql`
  id, tenant_id AS "tenantId", file_name AS "fileName", length_bytes AS "lengthBytes",
  offset_bytes AS "offsetBytes", sha256, state,
  (extract(epoch FROM created_at) * 1000)::bigint AS "createdAtMs",
  (extract(epoch FROM expires_at) * 1000)::bigint AS "expiresAtMs"`;

function uploadFromRow({ sha256, ...rest }: UploadRow): Upload {
  return { ...rest, ...(sha256 !== null && { sha256 }) };
}

/** Uploads in PostgreSQL. */
export class PgUploadStore {
  private readonly pool: Pool;

  constructor(database: Database) {
    this.pool = database.pool;
  }

  /** Stores an upload: open and empty, or complete if all bytes are there already. */
  async create(
    upload: Readonly<{
      tenantId: TenantId;
      id?: UploadId;
      fileName: string;
      lengthBytes: number;
      sha256?: string;
      state?: Upload['state'];
      lifeMs: number;
    }>,
  ): Promise<Upload> {
    const state = upload.state ?? 'open';
    const { rows } = await this.pool.query<UploadRow>(sql`
      INSERT INTO upload (tenant_id, id, file_name, length_bytes, offset_bytes, sha256, state, expires_at)
      VALUES (${upload.tenantId}, ${upload.id ?? newId('upload')}, ${upload.fileName}, ${upload.lengthBytes},
              ${state === 'complete' ? upload.lengthBytes : 0}, ${upload.sha256 ?? null}, ${state},
              now() + ${upload.lifeMs} * interval '1 millisecond')
      RETURNING ${columns}`);
    const row = rows[0];
    if (!row) throw new Error('the upload was not stored');
    return uploadFromRow(row);
  }

  /** Finds an upload that has not expired. */
  async findById(tenantId: TenantId, id: UploadId): Promise<Upload | undefined> {
    const { rows } = await this.pool.query<UploadRow>(sql`
      SELECT ${columns} FROM upload WHERE tenant_id = ${tenantId} AND id = ${id} AND expires_at > now()`);
    return rows[0] && uploadFromRow(rows[0]);
  }

  /**
   * Runs `write` while no other part of the upload can be written, then records the new offset. No connection is held
   * meanwhile: slow senders must not use up the pool.
   *
   * @param write receives the upload at its recorded offset, writes bytes and gives the offset and state after them
   * @returns absent if there is no such upload
   * @throws {UploadError} `upload.busy`, `upload.offset-mismatch`
   */
  async append(
    tenantId: TenantId,
    id: UploadId,
    offsetBytes: number,
    write: (upload: Upload) => Promise<Readonly<{ offsetBytes: number; state: Upload['state'] }>>,
  ): Promise<Upload | undefined> {
    const row = sql`tenant_id = ${tenantId} AND id = ${id}`;
    const { rows } = await this.pool.query<UploadRow>(sql`
      UPDATE upload
         SET writing_until = now() + interval '1 minute'
       WHERE ${row} AND expires_at > now() AND (writing_until IS NULL OR writing_until < now())
      RETURNING ${columns}`);
    if (!rows[0]) {
      const busy = await this.findById(tenantId, id);
      if (!busy) return undefined;
      throw new UploadError('upload.busy', 'another part is being written', busy.offsetBytes);
    }
    const upload = uploadFromRow(rows[0]);
    const hold = setInterval(() => {
      // If this fails, the hold runs out and the part that was being written does not count.
      this.pool
        .query(sql`UPDATE upload SET writing_until = now() + interval '1 minute' WHERE ${row}`)
        .catch(() => undefined);
    }, 20_000);
    let next: Readonly<{ offsetBytes: number; state: Upload['state'] }> = upload;
    try {
      if (upload.offsetBytes !== offsetBytes || upload.state === 'complete') {
        const message = `the upload goes on at byte ${upload.offsetBytes}, not ${offsetBytes}`;
        throw new UploadError('upload.offset-mismatch', message, upload.offsetBytes);
      }
      next = await write(upload);
      return { ...upload, offsetBytes: next.offsetBytes, state: next.state };
    } finally {
      clearInterval(hold);
      await this.pool.query(sql`
        UPDATE upload
           SET offset_bytes = ${next.offsetBytes}, state = ${next.state}, writing_until = NULL
         WHERE ${row} AND offset_bytes = ${upload.offsetBytes}`);
    }
  }

  /** Forgets an upload; false if there is none. */
  async remove(tenantId: TenantId, id: UploadId): Promise<boolean> {
    const result = await this.pool.query(
      sql`DELETE FROM upload WHERE tenant_id = ${tenantId} AND id = ${id}`,
    );
    return result.rowCount === 1;
  }

  /** Tells whether any tenant has an upload of this id. */
  async exists(id: UploadId): Promise<boolean> {
    const result = await this.pool.query(sql`SELECT 1 FROM upload WHERE id = ${id}`);
    return result.rowCount !== 0;
  }

  /** Forgets uploads past their time and says which, so that their files can be removed. */
  async removeExpired(): Promise<readonly UploadId[]> {
    const { rows } = await this.pool.query<{ id: UploadId }>(
      sql`DELETE FROM upload WHERE expires_at <= now() RETURNING id`,
    );
    return rows.map((row) => row.id);
  }
}
