import { DomainError } from '@earmark/kernel';
import type { Progress } from '@earmark/monitoring';
import { type Database, type Job, jobChannel, type JobLease, type JobQueue } from '@earmark/storage';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JobHandler } from './listening-jobs.js';

/** What a runner tells its surroundings, one event a finished job. */
export type JobEvent = Readonly<{
  job: Job;
  outcome: 'done' | 'failed' | 'retry' | 'cancelled' | 'released';
  error?: unknown;
}>;

/** How a runner works. */
export type JobRunnerOptions = Readonly<{
  database: Database;
  queue: JobQueue;
  handlers: Readonly<Record<string, JobHandler>>;
  /** Unique name of this worker. */
  worker: string;
  /** Jobs at a time. */
  concurrency: number;
  onEvent?: (event: JobEvent) => void;
}>;

class JobCancelledError extends DomainError {
  readonly code = 'job.cancelled';
}

/** Also how soon a running job sees that it was cancelled. */
const renewMs = 1000;
/** Longest pause without a look at the queue, in case a notification was lost. */
const idleMs = 15_000;
/** Failures that another try can mend; every other typed error is the input's fault. */
const passing = new Set(['engine.worker-died', 'index.stalled', 'index.locked', 'storage.unreachable']);

/** Takes jobs off the queue and carries them out until its signal is aborted. */
export class JobRunner {
  constructor(private readonly options: JobRunnerOptions) {}

  /** Runs until `signal` is aborted; jobs in work are then given back untouched. */
  async run(signal: AbortSignal): Promise<void> {
    const listener = await this.options.database.connect();
    try {
      await listener.query(`LISTEN ${jobChannel}`);
      await Promise.all(
        Array.from({ length: this.options.concurrency }, (_, lane) =>
          this.#lane(`${this.options.worker}/${lane}`, listener, signal),
        ),
      );
    } finally {
      await listener.end();
    }
  }

  async #lane(worker: string, listener: NodeJS.EventEmitter, signal: AbortSignal): Promise<void> {
    const kinds = Object.keys(this.options.handlers);
    while (!signal.aborted) {
      const lease = await this.options.queue.lease(worker, kinds);
      if (lease !== undefined) {
        await this.#carryOut(lease, signal);
        continue;
      }
      const dueMs = Math.min(idleMs, Math.max(100, (await this.options.queue.nextDueMs(kinds)) ?? idleMs));
      const stop = new AbortController();
      const either = AbortSignal.any([signal, stop.signal]);
      await Promise.race([
        once(listener, 'notification', { signal: either }),
        sleep(dueMs, undefined, { signal: either }),
      ]).catch(ignoreAbort);
      stop.abort();
    }
  }

  async #carryOut(lease: JobLease, shutdown: AbortSignal): Promise<void> {
    const { queue, handlers, onEvent } = this.options;
    const { job } = lease;
    const abort = new AbortController();
    const signal = AbortSignal.any([abort.signal, shutdown]);
    let progress: Progress | undefined;
    const heartbeat = setInterval(() => {
      queue.renew(lease, progress).then(
        (state) => state !== 'held' && abort.abort(new JobCancelledError(`the job was ${state}`)),
        () => undefined, // an unreachable database is met again by the job itself
      );
    }, renewMs);
    try {
      const handler = handlers[job.kind];
      if (handler === undefined) throw new TypeError(`no handler for jobs of kind ${job.kind}`);
      const result = await handler(job, { signal, onProgress: (latest) => (progress = latest) });
      await queue.complete(lease, result);
      onEvent?.({ job, outcome: 'done' });
    } catch (error) {
      onEvent?.({
        job,
        outcome: await this.#settle(lease, error, abort.signal.aborted, shutdown.aborted),
        error,
      });
    } finally {
      clearInterval(heartbeat);
    }
  }

  async #settle(
    lease: JobLease,
    error: unknown,
    cancelled: boolean,
    shuttingDown: boolean,
  ): Promise<'failed' | 'retry' | 'cancelled' | 'released'> {
    const { queue } = this.options;
    if (cancelled) {
      await queue.cancelled(lease);
      return 'cancelled';
    }
    if (shuttingDown) {
      await queue.release(lease);
      return 'released';
    }
    const title = error instanceof Error ? error.message : String(error);
    if (error instanceof DomainError && !passing.has(error.code)) {
      await queue.fail(lease, { code: error.code, title });
      return 'failed';
    }
    await queue.retry(lease, { code: error instanceof DomainError ? error.code : 'internal', title });
    return 'retry';
  }
}

function ignoreAbort(error: unknown): void {
  if (!(error instanceof Error && error.name === 'AbortError')) throw error;
}
