import { createHash, randomBytes } from 'node:crypto';
import type { KeyId, TenantId } from '@earmark/kernel';
import type { Pool } from 'pg';
import { newId } from './catalog-store.js';
import { sql } from './sql.js';

/** An API key, without its secret. */
export type ApiKey = Readonly<{
  id: KeyId;
  tenantId: TenantId;
  name: string;
  scopes: readonly string[];
  createdAtMs: number;
  lastUsedAtMs?: number;
  revokedAtMs?: number;
}>;

type KeyRow = Omit<ApiKey, 'lastUsedAtMs' | 'revokedAtMs'> & {
  lastUsedAtMs: number | null;
  revokedAtMs: number | null;
};

const columns = sql`
  id, tenant_id AS "tenantId", name, scopes,
  (extract(epoch FROM created_at) * 1000)::bigint AS "createdAtMs",
  (extract(epoch FROM last_used_at) * 1000)::bigint AS "lastUsedAtMs",
  (extract(epoch FROM revoked_at) * 1000)::bigint AS "revokedAtMs"`;

function keyFromRow({ lastUsedAtMs, revokedAtMs, ...rest }: KeyRow): ApiKey {
  return {
    ...rest,
    ...(lastUsedAtMs !== null && { lastUsedAtMs }),
    ...(revokedAtMs !== null && { revokedAtMs }),
  };
}

/** Secrets are 256 random bits, so one round of SHA-256 is enough: nothing can be guessed from the hash. */
function hash(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

/** API keys in PostgreSQL; only hashes of secrets are stored. */
export class PgApiKeyStore {
  private readonly pool: Pool;

  constructor(pool: Pool) {
    this.pool = pool;
  }

  /** Makes a key. The secret is in the answer and nowhere else. */
  async create(
    key: Readonly<{ tenantId: TenantId; name: string; scopes: readonly string[] }>,
  ): Promise<Readonly<{ key: ApiKey; secret: string }>> {
    const secret = `emk_${randomBytes(32).toString('base64url')}`;
    const { rows } = await this.pool.query<KeyRow>(sql`
      INSERT INTO api_key (tenant_id, id, name, secret_hash, scopes)
      VALUES (${key.tenantId}, ${newId('key')}, ${key.name}, ${hash(secret)}, ${key.scopes})
      RETURNING ${columns}`);
    const row = rows[0];
    if (!row) throw new Error('the key was not stored');
    return { key: keyFromRow(row), secret };
  }

  /** Makes the tenant's first key; absent if it has one already, also a revoked one. */
  async createFirst(
    key: Readonly<{ tenantId: TenantId; name: string; scopes: readonly string[] }>,
  ): Promise<Readonly<{ key: ApiKey; secret: string }> | undefined> {
    const { rows } = await this.pool.query(
      sql`SELECT 1 FROM api_key WHERE tenant_id = ${key.tenantId} LIMIT 1`,
    );
    return rows.length > 0 ? undefined : this.create(key);
  }

  /** Finds the valid key of a secret and records its use, at most once a minute. */
  async findBySecret(secret: string): Promise<ApiKey | undefined> {
    const secretHash = hash(secret);
    const { rows } = await this.pool.query<KeyRow & { isStale: boolean }>(sql`
      SELECT ${columns}, coalesce(last_used_at < now() - interval '1 minute', true) AS "isStale"
        FROM api_key
       WHERE secret_hash = ${secretHash} AND revoked_at IS NULL`);
    if (!rows[0]) return undefined;
    const { isStale, ...row } = rows[0];
    if (isStale)
      await this.pool.query(sql`UPDATE api_key SET last_used_at = now() WHERE secret_hash = ${secretHash}`);
    return keyFromRow(row);
  }

  async list(
    tenantId: TenantId,
    page: Readonly<{ limit: number; after?: KeyId }>,
  ): Promise<readonly ApiKey[]> {
    const { rows } = await this.pool.query<KeyRow>(sql`
      SELECT ${columns}
        FROM api_key
       WHERE tenant_id = ${tenantId} AND id > ${page.after ?? ''}
       ORDER BY id
       LIMIT ${page.limit}`);
    return rows.map(keyFromRow);
  }

  /** Ends a key for good; false if there is none. */
  async revoke(tenantId: TenantId, id: KeyId): Promise<boolean> {
    const result = await this.pool.query(sql`
      UPDATE api_key
         SET revoked_at = coalesce(revoked_at, now())
       WHERE tenant_id = ${tenantId} AND id = ${id}`);
    return result.rowCount === 1;
  }
}
