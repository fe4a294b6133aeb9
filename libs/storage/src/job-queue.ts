import type { CatalogId, JobId, TenantId } from '@earmark/kernel';
import type { Pool } from 'pg';
import { newId } from './catalog-store.js';
import type { Database } from './database.js';
import { allOf, sql, type SqlStatement } from './sql.js';

/** Where a job stands; the last three are final. */
export type JobState = 'queued' | 'running' | 'done' | 'failed' | 'cancelled';

/** One unit of queued work. */
export type Job = Readonly<{
  id: JobId;
  tenantId: TenantId;
  catalogId?: CatalogId;
  /** What is to be done: `ingest`, `scan`, `import` ... */
  kind: string;
  /** Arguments, as the kind defines them. */
  payload: unknown;
  state: JobState;
  /** What is being done now. */
  stage: string;
  /** Units done and in all; 0 in all while unknown. */
  done: number;
  total: number;
  cancelRequested: boolean;
  attempts: number;
  maxAttempts: number;
  /** Result, as the kind defines it, when `state` is `done`. */
  result?: unknown;
  error?: Readonly<{ code: string; title: string }>;
  createdAtMs: number;
  finishedAtMs?: number;
}>;

/** A job to queue. */
export type NewJob = Readonly<{
  tenantId: TenantId;
  catalogId?: CatalogId;
  kind: string;
  payload: unknown;
  /** Tries before a passing failure becomes final, default 3. */
  maxAttempts?: number;
}>;

/** A worker's hold on a job. Every method fails silently once the hold is lost; `renew` tells. */
export type JobLease = Readonly<{
  job: Job;
  worker: string;
}>;

/** What a renewal found out. */
export type LeaseState = 'held' | 'cancelled' | 'lost';

/** Channel on which the queue tells waiting workers of new work. */
export const jobChannel = 'earmark_job';

/** Channel on which the queue tells waiting clients that a job ended; the payload is its id. */
export const jobEndedChannel = 'earmark_job_ended';

type JobRow = Omit<Job, 'catalogId' | 'result' | 'error' | 'finishedAtMs'> & {
  catalogId: CatalogId | null;
  result: unknown;
  errorCode: string | null;
  errorTitle: string | null;
  finishedAtMs: number | null;
};

const columns = sql`
  id, tenant_id AS "tenantId", catalog_id AS "catalogId", kind, payload, state, stage, done, total,
  cancel_requested AS "cancelRequested", attempts, max_attempts AS "maxAttempts", result,
  error_code AS "errorCode", error_title AS "errorTitle",
  (extract(epoch FROM created_at) * 1000)::bigint AS "createdAtMs",
  (extract(epoch FROM finished_at) * 1000)::bigint AS "finishedAtMs"`;

function jobFromRow({ catalogId, result, errorCode, errorTitle, finishedAtMs, ...rest }: JobRow): Job {
  return {
    ...rest,
    ...(catalogId !== null && { catalogId }),
    ...(result !== null && { result }),
    ...(errorCode !== null && { error: { code: errorCode, title: errorTitle ?? errorCode } }),
    ...(finishedAtMs !== null && { finishedAtMs }),
  };
}

/**
 * Work queue on PostgreSQL: leased with `SKIP LOCKED`, woken by NOTIFY. A job whose worker vanished is taken by
 * another one when its lease ends; cancelling is a flag that the worker sees when it renews.
 */
export class JobQueue {
  private readonly pool: Pool;
  private readonly leaseMs: number;

  /** @param leaseMs how long a worker may stay silent, default 30 s */
  constructor(database: Database, leaseMs = 30_000) {
    this.pool = database.pool;
    this.leaseMs = leaseMs;
  }

  /** Queues work and wakes a worker. */
  async enqueue(job: NewJob): Promise<Job> {
    const { rows } = await this.pool.query<JobRow>(sql`
      WITH made AS (
        INSERT INTO job (tenant_id, id, catalog_id, kind, payload, max_attempts)
        VALUES (${job.tenantId}, ${newId('job')}, ${job.catalogId ?? null}, ${job.kind},
                ${JSON.stringify(job.payload)}, ${job.maxAttempts ?? 3})
        RETURNING *
      ), woken AS (
        SELECT pg_notify(${jobChannel}, ${job.kind})
      )
      SELECT ${columns} FROM made, woken`);
    return required(rows[0]);
  }

  async findById(tenantId: TenantId, id: JobId): Promise<Job | undefined> {
    return (await this.read(sql`tenant_id = ${tenantId} AND id = ${id}`, 1))[0];
  }

  /** Newest first; `before` is the id of the last job of the previous page. */
  list(
    tenantId: TenantId,
    page: Readonly<{ limit: number; before?: JobId; state?: JobState }>,
  ): Promise<readonly Job[]> {
    const conditions = [sql`tenant_id = ${tenantId}`];
    if (page.before !== undefined) conditions.push(sql`id < ${page.before}`);
    if (page.state !== undefined) conditions.push(sql`state = ${page.state}`);
    return this.read(allOf(conditions), page.limit);
  }

  /**
   * Asks for the end of a job: a queued one ends at once, a running one when its worker sees the flag, a finished one
   * stays as it is.
   *
   * @returns the job after the request; absent if there is none
   */
  async cancel(tenantId: TenantId, id: JobId): Promise<Job | undefined> {
    await this.pool.query(sql`
      WITH changed AS (
        UPDATE job
           SET cancel_requested = true,
               state = CASE WHEN state = 'queued' THEN 'cancelled' ELSE state END,
               finished_at = CASE WHEN state = 'queued' THEN now() END
         WHERE tenant_id = ${tenantId} AND id = ${id} AND state IN ('queued', 'running')
        RETURNING id, state
      )
      SELECT pg_notify(${jobEndedChannel}, id) FROM changed WHERE state = 'cancelled'`);
    return this.findById(tenantId, id);
  }

  /**
   * Takes the oldest due job, or one whose worker went silent. A job that was lost as often as it may be tried, or
   * that should be cancelled, is finished here instead.
   *
   * @param kinds what this worker can do
   */
  async lease(worker: string, kinds: readonly string[]): Promise<JobLease | undefined> {
    await this.finishAbandoned();
    const { rows } = await this.pool.query<JobRow>(sql`
      UPDATE job
         SET state = 'running', attempts = attempts + 1, leased_by = ${worker},
             leased_until = now() + ${this.leaseMs} * interval '1 millisecond'
       WHERE (tenant_id, id) = (
               SELECT tenant_id, id
                 FROM job
                WHERE kind = ANY(${kinds}) AND NOT cancel_requested
                  AND ((state = 'queued' AND run_at <= now()) OR (state = 'running' AND leased_until < now()))
                ORDER BY run_at, id
                LIMIT 1
                  FOR UPDATE SKIP LOCKED)
      RETURNING ${columns}`);
    const row = rows[0];
    return row && { job: jobFromRow(row), worker };
  }

  /** Keeps the hold for another period and reports progress. */
  async renew(
    lease: JobLease,
    progress?: Readonly<{ stage: string; done: number; total: number }>,
  ): Promise<LeaseState> {
    const { rows } = await this.pool.query<{ cancelRequested: boolean }>(sql`
      UPDATE job
         SET leased_until = now() + ${this.leaseMs} * interval '1 millisecond',
             stage = coalesce(${progress?.stage ?? null}, stage),
             done = coalesce(${progress ? Math.round(progress.done) : null}, done),
             total = coalesce(${progress ? Math.round(progress.total) : null}, total)
       WHERE ${held(lease)}
      RETURNING cancel_requested AS "cancelRequested"`);
    const row = rows[0];
    if (!row) return 'lost';
    return row.cancelRequested ? 'cancelled' : 'held';
  }

  /** Ends a job well. */
  async complete(lease: JobLease, result: unknown): Promise<void> {
    await this.finish(
      lease,
      'done',
      sql`
      stage = 'done', done = greatest(done, total), result = ${JSON.stringify(result ?? null)}`,
    );
  }

  /** Ends a job for good: its input is wrong, another try cannot help. */
  async fail(lease: JobLease, error: Readonly<{ code: string; title: string }>): Promise<void> {
    await this.finish(lease, 'failed', sql`error_code = ${error.code}, error_title = ${error.title}`);
  }

  /** Ends a job because somebody asked for it. */
  async cancelled(lease: JobLease): Promise<void> {
    await this.finish(lease, 'cancelled', sql`stage = 'cancelled'`);
  }

  /** Puts a job back for another try after a pause that doubles each time; the last try makes the failure final. */
  async retry(lease: JobLease, error: Readonly<{ code: string; title: string }>): Promise<void> {
    if (lease.job.attempts >= lease.job.maxAttempts) return this.fail(lease, error);
    const pauseMs = 1000 * 2 ** lease.job.attempts;
    await this.pool.query(sql`
      UPDATE job
         SET state = 'queued', stage = 'retry', leased_by = NULL, leased_until = NULL,
             run_at = now() + ${pauseMs} * interval '1 millisecond',
             error_code = ${error.code}, error_title = ${error.title}
       WHERE ${held(lease)}`);
  }

  /** Gives a job back untouched, because the worker is shutting down; the try does not count. */
  async release(lease: JobLease): Promise<void> {
    await this.pool.query(sql`
      WITH released AS (
        UPDATE job
           SET state = 'queued', attempts = attempts - 1, leased_by = NULL, leased_until = NULL
         WHERE ${held(lease)}
        RETURNING kind
      )
      SELECT pg_notify(${jobChannel}, kind) FROM released`);
  }

  /** When the next job of these kinds is due, in milliseconds from now; absent if nothing waits. */
  async nextDueMs(kinds: readonly string[]): Promise<number | undefined> {
    const { rows } = await this.pool.query<{ dueMs: number | null }>(sql`
      SELECT (extract(epoch FROM min(CASE WHEN state = 'queued' THEN run_at ELSE leased_until END) - now()) * 1000)
             ::bigint AS "dueMs"
        FROM job
       WHERE state IN ('queued', 'running') AND kind = ANY(${kinds})`);
    return rows[0]?.dueMs ?? undefined;
  }

  /** Number of unfinished jobs by state. */
  async depth(): Promise<Readonly<{ queued: number; running: number }>> {
    const { rows } = await this.pool.query<{ queued: number; running: number }>(sql`
      SELECT count(*) FILTER (WHERE state = 'queued') AS queued,
             count(*) FILTER (WHERE state = 'running') AS running
        FROM job
       WHERE state IN ('queued', 'running')`);
    return rows[0] ?? { queued: 0, running: 0 };
  }

  private async finish(lease: JobLease, state: JobState, sets: SqlStatement): Promise<void> {
    await this.pool.query(sql`
      WITH ended AS (
        UPDATE job
           SET state = ${state}, finished_at = now(), leased_by = NULL, leased_until = NULL, ${sets}
         WHERE ${held(lease)}
        RETURNING id
      )
      SELECT pg_notify(${jobEndedChannel}, id) FROM ended`);
  }

  private async finishAbandoned(): Promise<void> {
    await this.pool.query(sql`
      WITH ended AS (
        UPDATE job
           SET state = CASE WHEN cancel_requested THEN 'cancelled' ELSE 'failed' END,
               finished_at = now(), leased_by = NULL, leased_until = NULL,
               error_code = CASE WHEN cancel_requested THEN error_code ELSE 'job.worker-lost' END,
               error_title = CASE WHEN cancel_requested THEN error_title
                                  ELSE 'every worker that tried this job was lost' END
         WHERE state = 'running' AND leased_until < now() AND (cancel_requested OR attempts >= max_attempts)
        RETURNING id
      )
      SELECT pg_notify(${jobEndedChannel}, id) FROM ended`);
  }

  private async read(condition: SqlStatement, limit: number): Promise<readonly Job[]> {
    const { rows } = await this.pool.query<JobRow>(sql`
      SELECT ${columns} FROM job WHERE ${condition} ORDER BY id DESC LIMIT ${limit}`);
    return rows.map(jobFromRow);
  }
}

function held(lease: JobLease): SqlStatement {
  const { job, worker } = lease;
  return sql`tenant_id = ${job.tenantId} AND id = ${job.id} AND leased_by = ${worker} AND state = 'running'`;
}

function required(row: JobRow | undefined): Job {
  if (!row) throw new Error('the job was not stored');
  return jobFromRow(row);
}
