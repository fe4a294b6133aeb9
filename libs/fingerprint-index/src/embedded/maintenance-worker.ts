import { parentPort } from 'node:worker_threads';
import { errorCode } from '@earmark/kernel';
import { IndexCorruptError } from '../errors.js';
import { nodeFiles } from './durable-files.js';
import { runMaintenance, type FlushJob, type MaintenanceResult, type MergeJob } from './maintenance.js';

/** What the worker answers; errors travel as data because classes do not survive the way. */
export type WorkerAnswer =
  | Readonly<{ result: MaintenanceResult }>
  | Readonly<{ corrupt: Readonly<{ file: string; offset: number; reason: string }> }>
  | Readonly<{ failure: string }>;

parentPort?.on('message', (job: FlushJob | MergeJob) => {
  parentPort?.postMessage(answer(job));
});

function answer(job: FlushJob | MergeJob): WorkerAnswer {
  try {
    return { result: runMaintenance(job, nodeFiles) };
  } catch (error) {
    if (error instanceof IndexCorruptError) {
      return { corrupt: { file: error.file, offset: error.offset, reason: error.reason } };
    }
    return { failure: `${errorCode(error)}: ${error instanceof Error ? error.message : String(error)}` };
  }
}
