import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { openDatabase, type Database } from './database.js';
import { joinEmbeddedServer } from './embedded/embedded-server.js';

/** A database of a test's own and what the test must end. */
export type TestDatabase = Readonly<{
  database: Database;
  /** Connection string, for processes that the test starts. */
  databaseUrl: string;
  dataDir: string;
  /** Drops the database and removes the folder. */
  end(): Promise<void>;
}>;

/**
 * Makes an empty, migrated database on a server that all tests of this machine's user share; the cluster stays in
 * the system's folder for temporary files, so that only the first test pays for making it.
 */
export async function openTestDatabase(): Promise<TestDatabase> {
  const lease = await joinEmbeddedServer(path.join(os.tmpdir(), `earmark-test-${process.getuid?.() ?? 0}`));
  const name = `test_${randomBytes(8).toString('hex')}`;
  const url = (database: string): string =>
    `postgres://${lease.user}:${encodeURIComponent(lease.password)}@${lease.host}:${lease.port}/${database}`;
  const dataDir = mkdtempSync(path.join(os.tmpdir(), 'earmark-'));
  const run = async (statement: string): Promise<void> => {
    const { default: pg } = await import('pg');
    const client = new pg.Client({ connectionString: url('postgres') });
    await client.connect();
    await client.query(statement);
    await client.end();
  };
  await run(`CREATE DATABASE ${name}`);
  const databaseUrl = url(name);
  const database = await openDatabase({ databaseUrl, dataDir });
  return {
    database,
    databaseUrl,
    dataDir,
    async end() {
      await database.close();
      await run(`DROP DATABASE ${name} WITH (FORCE)`);
      rmSync(dataDir, { recursive: true, force: true });
      await lease.release();
    },
  };
}
