import type { Outbox, OutboxEntry } from '@earmark/catalog';
import type { CatalogId, TenantId, TrackId } from '@earmark/kernel';
import type { ClientBase, Pool } from 'pg';
import { sql } from './sql.js';

/** Advisory lock that makes writers take numbers in the order in which they commit. */
const orderLock = 32762750;

/**
 * Appends a change inside the caller's transaction. Call it last: it holds the lock that keeps sequences in commit
 * order until the transaction ends.
 */
export async function appendToOutbox(
  client: ClientBase,
  entry: Omit<OutboxEntry, 'sequence'>,
): Promise<void> {
  await client.query(sql`SELECT pg_advisory_xact_lock(${orderLock})`);
  await client.query(sql`
    INSERT INTO outbox (op, tenant_id, catalog_id, track_id)
    VALUES (${entry.op}, ${entry.tenantId}, ${entry.catalogId}, ${entry.trackId})`);
}

type OutboxRow = {
  sequence: number;
  op: 'add' | 'remove';
  tenantId: TenantId;
  catalogId: CatalogId;
  trackId: TrackId;
};

/** The outbox in PostgreSQL. */
export class PgOutbox implements Outbox {
  private readonly pool: Pool;

  constructor(pool: Pool) {
    this.pool = pool;
  }

  async read(afterSequence: number, limit: number): Promise<readonly OutboxEntry[]> {
    const { rows } = await this.pool.query<OutboxRow>(sql`
      SELECT sequence, op, tenant_id AS "tenantId", catalog_id AS "catalogId", track_id AS "trackId"
        FROM outbox
       WHERE sequence > ${afterSequence}
       ORDER BY sequence
       LIMIT ${limit}`);
    return rows;
  }

  async head(): Promise<number> {
    const { rows } = await this.pool.query<{ head: number }>(
      sql`SELECT coalesce(max(sequence), 0) AS head FROM outbox`,
    );
    return rows[0]?.head ?? 0;
  }

  async position(consumer: string): Promise<number> {
    const { rows } = await this.pool.query<{ sequence: number }>(
      sql`SELECT sequence FROM outbox_position WHERE consumer = ${consumer}`,
    );
    return rows[0]?.sequence ?? 0;
  }

  async advance(consumer: string, sequence: number, options?: Readonly<{ reset?: boolean }>): Promise<void> {
    const reset = options?.reset ?? false;
    await this.pool.query(sql`
      INSERT INTO outbox_position (consumer, sequence)
      VALUES (${consumer}, ${sequence})
      ON CONFLICT (consumer) DO UPDATE
         SET sequence = CASE WHEN ${reset} THEN excluded.sequence
                             ELSE greatest(outbox_position.sequence, excluded.sequence) END,
             updated_at = now()`);
  }
}
