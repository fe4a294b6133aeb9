import type { JobId, TenantId } from '@earmark/kernel';
import { jobEndedChannel, type Database, type Job, type JobQueue } from '@earmark/storage';

type Connection = Awaited<ReturnType<Database['connect']>>;

/** Longest wait between two looks at a job, in case a notification was lost. */
const recheckMs = 2000;

/** Lets requests wait for jobs: one connection listens for all of them. */
export class JobEndings {
  private readonly database: Database;
  private readonly queue: JobQueue;
  private readonly waiting = new Map<string, Set<() => void>>();
  private connection: Promise<Connection> | undefined;
  private isClosed = false;

  constructor(database: Database, queue: JobQueue) {
    this.database = database;
    this.queue = queue;
  }

  /**
   * Waits until a job has ended, at most `waitMs`.
   *
   * @returns the job as it is then; absent if there is none
   */
  async wait(tenantId: TenantId, id: JobId, waitMs: number): Promise<Job | undefined> {
    const deadline = performance.now() + waitMs;
    for (;;) {
      const leftMs = deadline - performance.now();
      const ended = this.nextEnding(id, Math.max(0, Math.min(leftMs, recheckMs)));
      await this.listen();
      const job = await this.queue.findById(tenantId, id);
      const isOpen = job?.state === 'queued' || job?.state === 'running';
      if (!isOpen || leftMs <= 0 || this.isClosed) {
        ended.stop();
        return job;
      }
      await ended.happened;
    }
  }

  /** Ends the connection and every wait. */
  async close(): Promise<void> {
    this.isClosed = true;
    for (const wakers of this.waiting.values()) for (const wake of wakers) wake();
    await this.connection?.then((connection) => connection.end()).catch(() => undefined);
  }

  private nextEnding(id: string, ms: number): Readonly<{ happened: Promise<void>; stop: () => void }> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const wakers = this.waiting.get(id) ?? new Set();
    this.waiting.set(id, wakers);
    const stop = (): void => {
      clearTimeout(timer);
      wakers.delete(stop);
      if (wakers.size === 0) this.waiting.delete(id);
      resolve();
    };
    const timer = setTimeout(stop, ms);
    wakers.add(stop);
    return { happened: promise, stop };
  }

  private async listen(): Promise<void> {
    if (this.isClosed) return;
    this.connection ??= this.connect();
    try {
      await this.connection;
    } catch {
      // Without the connection a wait still looks every two seconds; the next one tries again.
      this.connection = undefined;
    }
  }

  private async connect(): Promise<Connection> {
    const connection = await this.database.connect();
    connection.on('notification', ({ payload }: Readonly<{ payload?: string | undefined }>) => {
      for (const wake of this.waiting.get(payload ?? '') ?? []) wake();
    });
    connection.on('end', () => (this.connection = undefined));
    await connection.query(`LISTEN ${jobEndedChannel}`);
    return connection;
  }
}
