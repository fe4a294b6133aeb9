import type { Engine } from '@earmark/engine';
import { errorCode } from '@earmark/kernel';
import { type JobEvent, JobRunner, listeningJobs, type Logger } from '@earmark/platform';
import { JobQueue, PgScanStore, PgTrackStore, PgUploadStore, UploadFiles } from '@earmark/storage';
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { taggingJobs } from './tagging-jobs.js';
import { transitionJobs } from './transition-jobs.js';

/** What a worker works with. */
export type WorkerOptions = Readonly<{
  engine: Engine;
  /** Data folder; uploads lie in its subfolder `uploads`. */
  dataDir: string;
  logger: Logger;
}>;

/** Carries out queued jobs until `signal` is aborted; jobs in work are then given back untouched. */
export async function runWorker(
  { engine, dataDir, logger }: WorkerOptions,
  signal: AbortSignal,
): Promise<void> {
  const { database } = engine;
  const queue = new JobQueue(database);
  const worker = `${hostname()}/${process.pid}/${randomUUID()}`;
  const runner = new JobRunner({
    database,
    queue,
    worker,
    concurrency: engine.concurrency,
    handlers: {
      ...taggingJobs(engine),
      ...transitionJobs(engine),
      ...listeningJobs({
        engine,
        queue,
        tracks: new PgTrackStore(database),
        scans: new PgScanStore(database),
        uploads: new PgUploadStore(database),
        files: new UploadFiles(join(dataDir, 'uploads')),
      }),
    },
    onEvent: (event) => logEvent(logger, event),
  });
  logger.info({ worker, jobs: engine.concurrency }, 'worker started');
  await runner.run(signal);
  logger.info({ worker }, 'worker stopped');
}

function logEvent(logger: Logger, { job, outcome, error }: JobEvent): void {
  const about = { jobId: job.id, kind: job.kind, attempts: job.attempts };
  if (outcome === 'done' || outcome === 'cancelled' || outcome === 'released')
    logger.info(about, `job ${outcome}`);
  else logger.warn({ ...about, code: errorCode(error), err: error }, `job ${outcome}`);
}
