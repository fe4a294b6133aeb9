import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Client, ClientBase } from 'pg';
import { StorageError } from './errors.js';
import { sql } from './sql.js';

/** The repository's folder of migrations; the same from source and from the built package. */
export const migrationsFolder = fileURLToPath(new URL('../../../migrations/', import.meta.url));

/** Key of the advisory lock that lets one process migrate at a time ("earmark" in a phone's digits). */
const lockKey = 3276275;

/** One file of the folder: `NNNN_purpose.sql`. */
export type Migration = Readonly<{ name: string; checksum: string; text: string }>;

/**
 * Reads the migrations of a folder in the order of their numbers.
 *
 * @throws {StorageError} `storage.migration-failed` if two files share a number or a name is malformed
 */
export async function readMigrations(folder: string): Promise<readonly Migration[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort();
  const numbers = new Set<string>();
  const migrations: Migration[] = [];
  for (const name of names) {
    const number = /^(\d{4})_[a-z0-9_]+\.sql$/.exec(name)?.[1];
    if (number === undefined || numbers.has(number)) {
      throw new StorageError(
        'storage.migration-failed',
        `${name}: a migration is NNNN_purpose.sql with its own number`,
      );
    }
    numbers.add(number);
    const text = await readFile(path.join(folder, name), 'utf8');
    migrations.push({ name, checksum: createHash('sha256').update(text).digest('hex'), text });
  }
  return migrations;
}

async function applied(client: ClientBase): Promise<ReadonlyMap<string, string>> {
  const { rows } = await client.query<{ name: string; checksum: string }>(
    sql`SELECT name, checksum FROM schema_migration`,
  );
  return new Map(rows.map((row) => [row.name, row.checksum]));
}

function refuseChanges(known: ReadonlyMap<string, string>, migrations: readonly Migration[]): void {
  const byName = new Map(migrations.map((migration) => [migration.name, migration]));
  for (const [name, checksum] of known) {
    const migration = byName.get(name);
    // A newer version may have migrated this database already: additions are safe for the version before.
    if (migration && migration.checksum !== checksum) {
      throw new StorageError(
        'storage.migration-changed',
        `${name} was applied with other contents; add a new file`,
      );
    }
  }
}

async function apply(client: ClientBase, migration: Migration): Promise<void> {
  await client.query('BEGIN');
  try {
    await client.query(migration.text);
    await client.query(
      sql`INSERT INTO schema_migration (name, checksum) VALUES (${migration.name}, ${migration.checksum})`,
    );
    await client.query('COMMIT');
  } catch (cause) {
    await client.query('ROLLBACK');
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StorageError('storage.migration-failed', `${migration.name}: ${reason}`, { cause });
  }
}

/**
 * Brings the schema up to date: applies what is missing, each file in its own transaction, one process at a time.
 *
 * @param client a connection of its own, not shared while this runs
 * @returns names of the files applied
 * @throws {StorageError} `storage.migration-changed` if an applied file has other contents now,
 *   `storage.migration-failed` with the file's name
 */
export async function migrate(
  client: Client | ClientBase,
  folder: string = migrationsFolder,
): Promise<readonly string[]> {
  const migrations = await readMigrations(folder);
  await client.query(sql`SELECT pg_advisory_lock(${lockKey})`);
  try {
    await client.query(`
      CREATE TABLE IF NOT EXISTS schema_migration (
        name       text PRIMARY KEY,
        checksum   text NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now()
      )`);
    const known = await applied(client);
    refuseChanges(known, migrations);
    const missing = migrations.filter((migration) => !known.has(migration.name));
    for (const migration of missing) await apply(client, migration);
    return missing.map((migration) => migration.name);
  } finally {
    await client.query(sql`SELECT pg_advisory_unlock(${lockKey})`);
  }
}
