import type { TenantId } from '@earmark/kernel';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId, PgApiKeyStore, PgCatalogStore, PgIdempotencyStore, PgUploadStore, sql } from './index.js';
import { openTestDatabase, type TestDatabase } from './testing.js';

let test: TestDatabase;
let tenantId: TenantId;

beforeAll(async () => {
  test = await openTestDatabase();
  tenantId = await new PgCatalogStore(test.database.pool).ensureTenant('acme');
});
afterAll(() => test.end());

describe('API keys', () => {
  it('finds a key by its secret and stores no secret', async () => {
    const keys = new PgApiKeyStore(test.database.pool);
    const { key, secret } = await keys.create({ tenantId, name: 'ci', scopes: ['identify'] });
    expect(await keys.findBySecret(secret)).toMatchObject({ id: key.id, scopes: ['identify'] });
    expect(await keys.findBySecret(`${secret}x`)).toBeUndefined();
    const { rows } = await test.database.pool.query<{ line: string }>(
      'SELECT api_key::text AS line FROM api_key',
    );
    expect(rows.some((row) => row.line.includes(secret))).toBe(false);
    expect((await keys.list(tenantId, { limit: 10 }))[0]?.lastUsedAtMs).toBeGreaterThan(0);
  });

  it('refuses a revoked key', async () => {
    const keys = new PgApiKeyStore(test.database.pool);
    const { key, secret } = await keys.create({ tenantId, name: 'old', scopes: ['admin'] });
    expect(await keys.revoke(tenantId, key.id)).toBe(true);
    expect(await keys.findBySecret(secret)).toBeUndefined();
    expect(await keys.revoke(tenantId, newId('key'))).toBe(false);
  });

  it('makes a first key once', async () => {
    const keys = new PgApiKeyStore(test.database.pool);
    const fresh = await new PgCatalogStore(test.database.pool).ensureTenant('fresh');
    const first = { tenantId: fresh, name: 'first', scopes: ['admin'] };
    expect(await keys.createFirst(first)).toBeDefined();
    expect(await keys.createFirst(first)).toBeUndefined();
  });
});

describe('idempotency', () => {
  it('gives a repeat the first answer and another request none', async () => {
    const store = new PgIdempotencyStore(test.database.pool);
    expect(await store.claim(tenantId, 'k', 'hash-1')).toEqual({ outcome: 'first' });
    expect(await store.claim(tenantId, 'k', 'hash-1')).toEqual({ outcome: 'running' });
    const answer = { status: 201, headers: { etag: '"1"' }, body: '{"a":1}' };
    await store.keep(tenantId, 'k', answer);
    expect(await store.claim(tenantId, 'k', 'hash-1')).toEqual({ outcome: 'repeat', answer });
    expect(await store.claim(tenantId, 'k', 'hash-2')).toEqual({ outcome: 'other' });
    await store.forget(tenantId, 'k');
    expect(await store.claim(tenantId, 'k', 'hash-2')).toEqual({ outcome: 'first' });
  });

  it('frees a key whose process died', async () => {
    const store = new PgIdempotencyStore(test.database.pool);
    await store.claim(tenantId, 'dead', 'hash');
    await test.database.pool.query(sql`
      UPDATE idempotency SET created_at = now() - interval '6 minutes' WHERE key = 'dead'`);
    expect(await store.claim(tenantId, 'dead', 'hash')).toEqual({ outcome: 'first' });
  });
});

describe('uploads', () => {
  const make = { fileName: 'a.mp3', lengthBytes: 10, lifeMs: 60_000 };

  it('advances only from where it stands', async () => {
    const store = new PgUploadStore(test.database);
    const { id } = await store.create({ tenantId, ...make, sha256: 'ab'.repeat(32) });
    const next = await store.append(tenantId, id, 0, async () => ({ offsetBytes: 4, state: 'open' }));
    expect(next).toMatchObject({ offsetBytes: 4, sha256: 'ab'.repeat(32) });
    const wrong = store.append(tenantId, id, 0, async () => ({ offsetBytes: 4, state: 'open' }));
    await expect(wrong).rejects.toMatchObject({ code: 'upload.offset-mismatch', offsetBytes: 4 });
    await store.append(tenantId, id, 4, async () => ({ offsetBytes: 10, state: 'complete' }));
    expect(await store.findById(tenantId, id)).toMatchObject({ state: 'complete', offsetBytes: 10 });
  });

  it('lets one writer in at a time', async () => {
    const store = new PgUploadStore(test.database);
    const { id } = await store.create({ tenantId, ...make });
    await store.append(tenantId, id, 0, async () => {
      const second = store.append(tenantId, id, 0, async () => ({ offsetBytes: 1, state: 'open' }));
      await expect(second).rejects.toMatchObject({ code: 'upload.busy' });
      return { offsetBytes: 2, state: 'open' };
    });
    expect((await store.findById(tenantId, id))?.offsetBytes).toBe(2);
  });

  it('forgets what has expired', async () => {
    const store = new PgUploadStore(test.database);
    const { id } = await store.create({ tenantId, ...make, lifeMs: 0 });
    const kept = await store.create({ tenantId, ...make });
    expect(await store.findById(tenantId, id)).toBeUndefined();
    expect(
      await store.append(tenantId, id, 0, async () => ({ offsetBytes: 1, state: 'open' })),
    ).toBeUndefined();
    expect(await store.removeExpired()).toEqual([id]);
    expect(await store.remove(tenantId, kept.id)).toBe(true);
    expect(await store.remove(tenantId, kept.id)).toBe(false);
  });
});
