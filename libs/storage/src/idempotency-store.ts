import type { TenantId } from '@earmark/kernel';
import type { Pool } from 'pg';
import { sql } from './sql.js';

/** An answer that is kept for repeats. */
export type KeptAnswer = Readonly<{
  status: number;
  headers: Readonly<Record<string, string>>;
  body: string;
}>;

/**
 * What a request with an Idempotency-Key may do: `first` goes on, `repeat` gets the first answer, `running` must wait
 * for the first, `other` used the key for something else.
 */
export type IdempotencyClaim =
  Readonly<{ outcome: 'first' | 'running' | 'other' }> | Readonly<{ outcome: 'repeat'; answer: KeptAnswer }>;

type ClaimRow = {
  requestHash: string;
  status: number | null;
  headers: Record<string, string> | null;
  body: string | null;
};

/** Answers to writes that carried an Idempotency-Key, kept for a day. */
export class PgIdempotencyStore {
  private readonly pool: Pool;

  constructor(pool: Pool) {
    this.pool = pool;
  }

  /**
   * Claims a key for a request. A claim without an answer counts for five minutes: its process may have died.
   *
   * @param requestHash hash over what the request asks for
   */
  async claim(tenantId: TenantId, key: string, requestHash: string): Promise<IdempotencyClaim> {
    await this.pool.query(sql`
      DELETE FROM idempotency
       WHERE created_at < now() - interval '1 day'
          OR (status IS NULL AND created_at < now() - interval '5 minutes')`);
    const made = await this.pool.query(sql`
      INSERT INTO idempotency (tenant_id, key, request_hash)
      VALUES (${tenantId}, ${key}, ${requestHash})
      ON CONFLICT (tenant_id, key) DO NOTHING`);
    if (made.rowCount === 1) return { outcome: 'first' };
    const { rows } = await this.pool.query<ClaimRow>(sql`
      SELECT request_hash AS "requestHash", status, headers, body
        FROM idempotency
       WHERE tenant_id = ${tenantId} AND key = ${key}`);
    const row = rows[0];
    if (!row) return { outcome: 'running' };
    if (row.requestHash !== requestHash) return { outcome: 'other' };
    if (row.status === null) return { outcome: 'running' };
    return {
      outcome: 'repeat',
      answer: { status: row.status, headers: row.headers ?? {}, body: row.body ?? '' },
    };
  }

  /** Keeps the answer of the first request. */
  async keep(tenantId: TenantId, key: string, answer: KeptAnswer): Promise<void> {
    await this.pool.query(sql`
      UPDATE idempotency
         SET status = ${answer.status}, headers = ${JSON.stringify(answer.headers)}, body = ${answer.body}
       WHERE tenant_id = ${tenantId} AND key = ${key}`);
  }

  /** Gives a key free again, because its request failed in a way that a repeat may mend. */
  async forget(tenantId: TenantId, key: string): Promise<void> {
    await this.pool.query(sql`DELETE FROM idempotency WHERE tenant_id = ${tenantId} AND key = ${key}`);
  }
}
