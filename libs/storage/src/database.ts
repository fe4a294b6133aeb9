import pg from 'pg';
import type { Pool, PoolClient } from 'pg';
import { joinEmbeddedServer, type EmbeddedServerLease } from './embedded/embedded-server.js';
import { StorageError } from './errors.js';
import { migrate } from './migrate.js';
import { sql } from './sql.js';

/** How to reach the database. */
export type DatabaseOptions = Readonly<{
  /** Connection string of a PostgreSQL server; absent: the embedded server of `dataDir`. */
  databaseUrl?: string;
  /** Data folder; the embedded server lives in its subfolder `postgres`. */
  dataDir: string;
  /** Shown by the server for each connection. */
  applicationName?: string;
  /** Most connections of this process, default 10. */
  maxConnections?: number;
}>;

/** An open, migrated database. */
export interface Database {
  readonly kind: 'embedded' | 'external';
  readonly pool: Pool;
  /** Version of the server, such as `18.4`. */
  readonly serverVersion: string;
  /** Runs `work` in one transaction: committed when it resolves, rolled back when it throws. */
  transaction<T>(work: (client: PoolClient) => Promise<T>): Promise<T>;
  /**
   * Opens a connection outside the pool, for LISTEN.
   *
   * The caller ends it.
   */
  connect(): Promise<pg.Client>;
  /** Closes the connections; the embedded server stops when this was its last user. */
  close(): Promise<void>;
}

/** Counts and sequences of PostgreSQL are 64-bit; all of ours stay below 2^53. */
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

async function firstContact(pool: Pool): Promise<string> {
  try {
    const { rows } = await pool.query<{ version: string }>(
      sql`SELECT current_setting('server_version') AS version`,
    );
    return rows[0]?.version ?? '';
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StorageError('storage.unreachable', `PostgreSQL does not answer: ${reason}`, { cause });
  }
}

/**
 * Opens the database, starting the embedded server if there is no `databaseUrl`, and brings its schema up to date.
 *
 * @throws {StorageError} any `storage.*` code
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const lease: EmbeddedServerLease | undefined =
    options.databaseUrl === undefined ? await joinEmbeddedServer(options.dataDir) : undefined;
  const connection: pg.ClientConfig = {
    ...(lease
      ? {
          host: lease.host,
          port: lease.port,
          user: lease.user,
          password: lease.password,
          database: lease.database,
        }
      : { connectionString: options.databaseUrl }),
    application_name: options.applicationName ?? 'earmark',
    connectionTimeoutMillis: 30_000,
    keepAlive: true,
  };
  const pool = new pg.Pool({ ...connection, max: options.maxConnections ?? 10, allowExitOnIdle: true });
  // A broken idle connection is replaced by the pool; the next query reports what is wrong.
  pool.on('error', () => undefined);
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => (closing ??= pool.end().then(() => lease?.release()));
  try {
    const serverVersion = await firstContact(pool);
    const client = await pool.connect();
    try {
      await migrate(client);
    } finally {
      client.release();
    }
    return {
      kind: lease ? 'embedded' : 'external',
      pool,
      serverVersion,
      async transaction<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
        const tx = await pool.connect();
        let broken: Error | undefined;
        try {
          await tx.query('BEGIN');
          const result = await work(tx);
          await tx.query('COMMIT');
          return result;
        } catch (error) {
          await tx.query('ROLLBACK').catch((cause: unknown) => {
            broken = cause instanceof Error ? cause : new Error(String(cause));
          });
          throw error;
        } finally {
          tx.release(broken);
        }
      },
      async connect() {
        const single = new pg.Client(connection);
        single.on('error', () => undefined);
        await single.connect();
        return single;
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
