import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { migrate } from './migrate.js';
import { openTestDatabase, type TestDatabase } from './testing.js';

let test: TestDatabase;
let folder: string;

beforeAll(async () => {
  test = await openTestDatabase();
});
afterAll(() => test.end());
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'earmark-migrations-'));
  return () => rmSync(folder, { recursive: true });
});

async function run(): Promise<readonly string[]> {
  const client = await test.database.connect();
  try {
    return await migrate(client, folder);
  } finally {
    await client.end();
  }
}

it('applies each file once, in the order of numbers', async () => {
  writeFileSync(path.join(folder, '9002_second.sql'), 'INSERT INTO m_order VALUES (2);');
  writeFileSync(
    path.join(folder, '9001_first.sql'),
    'CREATE TABLE m_order (n int); INSERT INTO m_order VALUES (1);',
  );
  expect(await run()).toEqual(['9001_first.sql', '9002_second.sql']);
  expect(await run()).toEqual([]);
});

it('lets one of several processes migrate', async () => {
  writeFileSync(path.join(folder, '9011_once.sql'), 'CREATE TABLE m_once (n int);');
  const results = await Promise.all([run(), run(), run()]);
  expect(results.flat()).toEqual(['9011_once.sql']);
});

it('rolls a broken file back as a whole and names it', async () => {
  writeFileSync(path.join(folder, '9021_broken.sql'), 'CREATE TABLE m_broken (n int); SELECT nonsense;');
  await expect(run()).rejects.toMatchObject({
    code: 'storage.migration-failed',
    message: expect.stringContaining('9021_broken.sql') as string,
  });
  const { rows } = await test.database.pool.query(`SELECT to_regclass('m_broken') AS found`);
  expect(rows).toEqual([{ found: null }]);
});

it('refuses an applied file whose contents changed', async () => {
  const file = path.join(folder, '9031_changed.sql');
  writeFileSync(file, 'CREATE TABLE m_changed (n int);');
  await run();
  writeFileSync(file, 'CREATE TABLE m_changed (n int, m int);');
  await expect(run()).rejects.toMatchObject({ code: 'storage.migration-changed' });
});

it('refuses two files with one number', async () => {
  writeFileSync(path.join(folder, '9041_a.sql'), 'SELECT 1;');
  writeFileSync(path.join(folder, '9041_b.sql'), 'SELECT 1;');
  await expect(run()).rejects.toMatchObject({ code: 'storage.migration-failed' });
});
