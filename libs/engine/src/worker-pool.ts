import { DomainError, errorCode, InvalidValueError } from '@earmark/kernel';
import { type ResourceLimits, Worker } from 'node:worker_threads';

/** Small heaps: PCM blocks die young, and what lasts lies in WASM memory and typed arrays. */
const smallHeap = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 256 } as const;

/** What goes from thread to thread of an error; `pointer` of a value that breaks a rule. */
export type ErrorText = Readonly<{ code: string | undefined; pointer?: string; message: string }>;

/** What the pool sends to a worker. */
export type WorkerRequest<Task, Answer = never> = Readonly<
  | { kind: 'run'; id: number; task: Task }
  | { kind: 'abort'; id: number }
  | { kind: 'answer'; id: number; answer: Answer }
  | ({ kind: 'refusal'; id: number } & ErrorText)
>;

/** What a worker sends back; `id` is that of the task, of a question its own. */
export type WorkerReply<Result, Progress, Question = never> = Readonly<
  | { kind: 'progress'; id: number; progress: Progress }
  | { kind: 'result'; id: number; result: Result }
  | ({ kind: 'error'; id: number } & ErrorText)
  | { kind: 'question'; id: number; question: Question }
>;

/** How threads are started. */
export type WorkerPoolOptions<Question, Answer> = Readonly<{
  /** Heap of a thread, default 256 MB. */
  limits?: ResourceLimits;
  /** Answers what a thread asks in the middle of a task. */
  answer?: (question: Question) => Promise<Answer>;
}>;

/** An error raised inside a worker thread; keeps the code of the original. */
export class WorkerTaskError extends DomainError {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** Puts an error into words for the other side. */
export function describeError(error: unknown): ErrorText {
  const code = errorCode(error);
  const message = error instanceof Error ? error.message : String(error);
  const pointer = error instanceof InvalidValueError ? { pointer: error.pointer } : {};
  return { code: code === 'internal' ? undefined : code, ...pointer, message };
}

/** The other way round: an error with the code of the original, if it had one. */
export function errorFrom({ code, pointer, message }: ErrorText): Error {
  if (code !== undefined && pointer !== undefined) return new InvalidValueError(code, pointer, message);
  return code === undefined ? new Error(message) : new WorkerTaskError(code, message);
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
export class WorkerPool<Task, Result, Progress, Question = never, Answer = never> {
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
    private readonly options: WorkerPoolOptions<Question, Answer> = {},
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
        resourceLimits: this.options.limits ?? smallHeap,
      }),
      running: undefined,
    };
    slot.worker.on('message', (reply: WorkerReply<Result, Progress, Question>) => this.#receive(slot, reply));
    slot.worker.on('error', (error) => this.#replace(slot, error));
    slot.worker.on('exit', (code) =>
      this.#replace(slot, new WorkerDiedError(`a worker thread ended with code ${code}`)),
    );
    this.#slots.push(slot);
    return slot;
  }

  #receive(slot: Slot<Task, Result, Progress>, reply: WorkerReply<Result, Progress, Question>): void {
    if (reply.kind === 'question') {
      void this.#answer(slot.worker, reply.id, reply.question);
      return;
    }
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
    else running.job.reject(errorFrom(reply));
    this.#dispatch();
  }

  async #answer(worker: Worker, id: number, question: Question): Promise<void> {
    let message: WorkerRequest<Task, Answer>;
    try {
      if (this.options.answer === undefined) throw new TypeError('nobody answers questions of this pool');
      message = { kind: 'answer', id, answer: await this.options.answer(question) };
    } catch (error) {
      message = { kind: 'refusal', id, ...describeError(error) };
    }
    worker.postMessage(message);
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
