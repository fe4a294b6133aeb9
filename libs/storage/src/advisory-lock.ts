import type { Pool } from 'pg';
import { sql } from './sql.js';

/** Work of which one process of an installation may do one piece at a time. */
export interface WorkLock {
  /**
   * Does the work if nobody else is at it; the lock ends with the work, or with the process.
   *
   * @returns false if somebody else is at it: nothing was done
   */
  tryRun(name: LockName, work: () => Promise<void>): Promise<boolean>;
}

/** What is locked. */
export type LockName = keyof typeof lockKeys;

/** Keys of PostgreSQL's advisory locks. */
const lockKeys = { 'index-feed': 32762751, 'index-build': 32762752, 'head-feed': 32762753 } as const;

/** Locks in PostgreSQL, which lets go of them when the connection of their holder ends. */
export class PgWorkLock implements WorkLock {
  private readonly pool: Pool;

  constructor(pool: Pool) {
    this.pool = pool;
  }

  async tryRun(name: LockName, work: () => Promise<void>): Promise<boolean> {
    const key = lockKeys[name];
    const client = await this.pool.connect();
    let failed = true;
    try {
      const { rows } = await client.query<{ taken: boolean }>(
        sql`SELECT pg_try_advisory_lock(${key}) AS taken`,
      );
      if (rows[0]?.taken !== true) {
        failed = false;
        return false;
      }
      try {
        await work();
      } finally {
        await client.query(sql`SELECT pg_advisory_unlock(${key})`);
        failed = false;
      }
      return true;
    } finally {
      // A connection that may still hold the lock is closed, not given back.
      client.release(failed);
    }
  }
}
