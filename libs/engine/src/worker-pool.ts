import { DomainError } from '@earmark/kernel';
import { Worker } from 'node:worker_threads';

/** Small heaps: PCM blocks die young, and what lasts lies in WASM memory and typed arrays. */
const threadLimits = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 256 } as const;

/** What the pool sends to a worker. */
export type WorkerRequest<Task> = Readonly<
  { kind: 'run'; id: number; task: Task } | { kind: 'abort'; id: number } | { kind: 'close' }
>;

/** What a worker sends back. */
export type WorkerReply<Result, Progress> = Readonly<
  | { kind: 'progress'; id: number; progress: Progress }
  | { kind: 'result'; id: number; result: Result }
  | { kind: 'error'; id: number; code: string | undefined; message: string }
>;

/** An error raised inside a worker thread; keeps the code of the original. */
export class WorkerTaskError extends DomainError {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** A worker thread that ended in the middle of a task, out of memory for example. */
export class WorkerDiedError extends DomainError {
  readonly code = 'engine.worker-died';
}

type Waiting<Task, Result, Progress> = {
  task: Task;
  signal: AbortSignal | undefined;
  onProgress: ((progress: Progress) => void) | undefined;
  resolve(result: Result): void;
  reject(error: unknown): void;
};

type Slot<Task, Result, Progress> = {
  worker: Worker;
  running: { id: number; job: Waiting<Task, Result, Progress>; onAbort: () => void } | undefined;
};

/**
 * Runs tasks on worker threads, one at a time each, first come first served. Threads start when first needed and a
 * thread that dies is replaced.
 */
export class WorkerPool<Task, Result, Progress> {
  readonly #slots: Slot<Task, Result, Progress>[] = [];
  readonly #queue: Waiting<Task, Result, Progress>[] = [];
  #nextId = 1;
  #closed = false;

  /**
   * @param entry compiled module that serves {@link WorkerRequest} messages
   * @param size most threads at a time, at least 1
   * @param workerData handed to every thread
   */
  constructor(
    private readonly entry: URL,
    private readonly size: number,
    private readonly workerData: unknown,
  ) {}

  /**
   * Queues a task.
   *
   * @throws {WorkerTaskError} with the code of the error inside the thread
   * @throws {WorkerDiedError} if the thread ended in the middle
   */
  run(
    task: Task,
    options: { signal?: AbortSignal; onProgress?: (progress: Progress) => void } = {},
  ): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      if (this.#closed) {
        reject(new WorkerDiedError('the worker pool is closed'));
        return;
      }
      this.#queue.push({ task, signal: options.signal, onProgress: options.onProgress, resolve, reject });
      this.#dispatch();
    });
  }

  /** Ends all threads; tasks that still wait or run are rejected. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const job of this.#queue.splice(0)) job.reject(new WorkerDiedError('the worker pool was closed'));
    await Promise.all(this.#slots.splice(0).map(({ worker }) => worker.terminate()));
  }

  #dispatch(): void {
    while (this.#queue.length > 0) {
      const slot = this.#slots.find(({ running }) => running === undefined) ?? this.#grow();
      if (slot === undefined) return;
      const job = this.#queue.shift();
      if (job === undefined) return;
      if (job.signal?.aborted === true) {
        job.reject(job.signal.reason);
        continue;
      }
      const id = this.#nextId++;
      const onAbort = (): void =>
        slot.worker.postMessage({ kind: 'abort', id } satisfies WorkerRequest<Task>);
      job.signal?.addEventListener('abort', onAbort, { once: true });
      slot.running = { id, job, onAbort };
      slot.worker.ref();
      slot.worker.postMessage({ kind: 'run', id, task: job.task } satisfies WorkerRequest<Task>);
    }
  }

  #grow(): Slot<Task, Result, Progress> | undefined {
    if (this.#slots.length >= this.size) return undefined;
    const slot: Slot<Task, Result, Progress> = {
      // Flags of this process, such as conditions that pick sources, must not reach compiled threads.
      worker: new Worker(this.entry, {
        workerData: this.workerData,
        execArgv: [],
        resourceLimits: threadLimits,
      }),
      running: undefined,
    };
    slot.worker.on('message', (reply: WorkerReply<Result, Progress>) => this.#receive(slot, reply));
    slot.worker.on('error', (error) => this.#replace(slot, error));
    slot.worker.on('exit', (code) =>
      this.#replace(slot, new WorkerDiedError(`a worker thread ended with code ${code}`)),
    );
    this.#slots.push(slot);
    return slot;
  }

  #receive(slot: Slot<Task, Result, Progress>, reply: WorkerReply<Result, Progress>): void {
    const running = slot.running;
    if (running?.id !== reply.id) return;
    if (reply.kind === 'progress') {
      running.job.onProgress?.(reply.progress);
      return;
    }
    slot.running = undefined;
    slot.worker.unref();
    running.job.signal?.removeEventListener('abort', running.onAbort);
    if (reply.kind === 'result') running.job.resolve(reply.result);
    else if (reply.code === undefined) running.job.reject(new Error(reply.message));
    else running.job.reject(new WorkerTaskError(reply.code, reply.message));
    this.#dispatch();
  }

  #replace(slot: Slot<Task, Result, Progress>, error: unknown): void {
    const index = this.#slots.indexOf(slot);
    if (index >= 0) this.#slots.splice(index, 1);
    const running = slot.running;
    slot.running = undefined;
    running?.job.signal?.removeEventListener('abort', running.onAbort);
    running?.job.reject(
      error instanceof WorkerDiedError
        ? error
        : new WorkerDiedError('a worker thread failed', { cause: error }),
    );
    if (!this.#closed) this.#dispatch();
  }
}
