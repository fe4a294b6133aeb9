import { PgApiKeyStore, PgCatalogStore } from '@earmark/storage';
import { openTestDatabase, type TestDatabase } from '@earmark/storage/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { KnownKeys } from './known-keys.js';

let test: TestDatabase;

beforeAll(async () => {
  test = await openTestDatabase();
});
afterAll(() => test.end());

it('trusts a valid key for a second, and not after it was told to forget', async () => {
  const store = new PgApiKeyStore(test.database.pool);
  const tenantId = await new PgCatalogStore(test.database.pool).ensureTenant('acme');
  let nowMs = 0;
  const known = new KnownKeys(store, () => nowMs);
  const [first, second] = [
    await store.create({ tenantId, name: 'first', scopes: ['identify'] }),
    await store.create({ tenantId, name: 'second', scopes: ['identify'] }),
  ];
  expect(await known.find(first.secret)).toMatchObject({ id: first.key.id });
  expect(await known.find(second.secret)).toMatchObject({ id: second.key.id });
  await store.revoke(tenantId, first.key.id);
  nowMs = 999;
  expect(await known.find(first.secret)).toMatchObject({ id: first.key.id });
  nowMs = 1_000;
  expect(await known.find(first.secret)).toBeUndefined();
  expect(await known.find(second.secret)).toBeDefined();
  await store.revoke(tenantId, second.key.id);
  known.forget();
  expect(await known.find(second.secret)).toBeUndefined();
});

it('finds a key made right after it was asked for', async () => {
  const store = new PgApiKeyStore(test.database.pool);
  const known = new KnownKeys(store, () => 0);
  expect(await known.find('emk_unknown')).toBeUndefined();
  const tenantId = await new PgCatalogStore(test.database.pool).ensureTenant('acme');
  const { key, secret } = await store.create({ tenantId, name: 'new', scopes: ['scan'] });
  expect(await known.find(secret)).toMatchObject({ id: key.id });
});
