import { parentPort } from 'node:worker_threads';
import { describeError, errorFrom, type WorkerReply, type WorkerRequest } from './worker-pool.js';

/** What a thread's task works with. */
export type TaskContext<Progress> = Readonly<{
  signal: AbortSignal;
  report: (progress: Progress) => void;
}>;

/** A result, and the memory that goes to the other side with it. */
export type TaskResult<Result> = Readonly<{ result: Result; transfer?: readonly ArrayBuffer[] }>;

/** Asks the thread that started this one. */
export type Ask<Question, Answer> = (question: Question) => Promise<Answer>;

/**
 * The side of a worker pool that runs inside the thread: carries out tasks, and asks the starter what it needs to know.
 *
 * @param work carries out a task; an error goes back with its code
 * @returns how to ask
 */
export function serveTasks<Task, Result, Progress, Question = never, Answer = never>(
  work: (task: Task, context: TaskContext<Progress>) => Promise<TaskResult<Result>>,
): Ask<Question, Answer> {
  const running = new Map<number, AbortController>();
  const asked = new Map<number, { resolve: (answer: Answer) => void; reject: (error: Error) => void }>();
  let lastQuestion = 0;
  const reply = (
    message: WorkerReply<Result, Progress, Question>,
    transfer: readonly ArrayBuffer[] = [],
  ): void => parentPort?.postMessage(message, transfer);

  const serve = async (id: number, task: Task): Promise<void> => {
    const abort = new AbortController();
    running.set(id, abort);
    try {
      const report = (progress: Progress): void => reply({ kind: 'progress', id, progress });
      const { result, transfer } = await work(task, { signal: abort.signal, report });
      reply({ kind: 'result', id, result }, transfer);
    } catch (error) {
      reply({ kind: 'error', id, ...describeError(error) });
    } finally {
      running.delete(id);
    }
  };

  parentPort?.on('message', (request: WorkerRequest<Task, Answer>) => {
    if (request.kind === 'abort') running.get(request.id)?.abort();
    else if (request.kind === 'run') void serve(request.id, request.task);
    else {
      const waiting = asked.get(request.id);
      asked.delete(request.id);
      if (request.kind === 'answer') waiting?.resolve(request.answer);
      else waiting?.reject(errorFrom(request));
    }
  });

  return (question) =>
    new Promise((resolve, reject) => {
      const id = ++lastQuestion;
      asked.set(id, { resolve, reject });
      reply({ kind: 'question', id, question });
    });
}
