import { Worker } from 'node:worker_threads';
import { IndexCorruptError, IndexStateError } from '../errors.js';
import type { FlushJob, MaintenanceResult, MaintenanceRunner, MergeJob } from './maintenance.js';
import type { WorkerAnswer } from './maintenance-worker.js';

/**
 * Node options with which a module of this library runs from its TypeScript source: packages resolve to their sources,
 * `./x.js` to `./x.ts`, and types are stripped. Built code needs none.
 */
export const sourceExecArgv: readonly string[] = [
  '--conditions=@earmark/source',
  '--experimental-transform-types',
  '--disable-warning=ExperimentalWarning',
  '--import',
  'data:text/javascript,' +
    encodeURIComponent(
      "import { registerHooks } from 'node:module'; registerHooks({ resolve: (specifier, context, next) => " +
        "specifier.startsWith('.') && specifier.endsWith('.js') && context.parentURL?.endsWith('.ts') " +
        "? next(specifier.slice(0, -3) + '.ts', context) : next(specifier, context) });",
    ),
];

/** Runs jobs in a worker thread that starts with the first job and does not keep the process alive between jobs. */
export class MaintenanceThread implements MaintenanceRunner {
  private worker: Worker | undefined;
  private fail: ((error: Error) => void) | undefined;

  async run(job: FlushJob | MergeJob): Promise<MaintenanceResult> {
    const worker = (this.worker ??= this.start());
    worker.ref();
    try {
      const answer = await new Promise<WorkerAnswer>((resolve, reject) => {
        this.fail = reject;
        worker.once('message', resolve);
        worker.postMessage(job);
      });
      if ('result' in answer) return answer.result;
      if ('corrupt' in answer) {
        throw new IndexCorruptError(answer.corrupt.file, answer.corrupt.offset, answer.corrupt.reason);
      }
      throw new Error(answer.failure);
    } finally {
      this.fail = undefined;
      worker.unref();
    }
  }

  async close(): Promise<void> {
    const worker = this.worker;
    this.worker = undefined;
    await worker?.terminate();
    this.fail?.(new IndexStateError('the index was closed'));
  }

  private start(): Worker {
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const worker = new Worker(new URL(`./maintenance-worker.${extension}`, import.meta.url), {
      execArgv: extension === 'ts' ? [...sourceExecArgv] : [],
    });
    worker.unref();
    worker.on('error', (error) => {
      this.worker = undefined;
      this.fail?.(error instanceof Error ? error : new Error(String(error)));
    });
    worker.on('exit', () => {
      if (this.worker === worker) this.worker = undefined;
      this.fail?.(new Error('the maintenance thread ended'));
    });
    return worker;
  }
}
