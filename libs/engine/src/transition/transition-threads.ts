import type { Listener } from '../listener.js';
import { TaskGate } from '../task-gate.js';
import { WorkerPool } from '../worker-pool.js';
import type { ProfileCacheSizes } from './profile-cache.js';
import type {
  HearingAnswer,
  HearingQuestion,
  TransitionAnswer,
  TransitionQuestion,
  TransitionTask,
  TransitionWorkerData,
} from './transition-task.js';
import type {
  NextRequest,
  PairScore,
  ScoreRequest,
  SequenceRequest,
  SequenceResult,
} from './transition-types.js';

/** Threads load compiled code, also when this module itself was loaded from its source. */
const workerEntry = new URL('../../dist/transition/transition-worker.js', import.meta.url);

/** What each thread keeps: about 200 MB of profiles and, of 4 heads a track, 300 MB of heads. */
const kept: ProfileCacheSizes = { profiles: 20_000, heads: 50_000, tails: 5_000 };
/** An answer makes about a megabyte of short-lived things; entry points lie outside of the heap. */
const limits = { maxYoungGenerationSizeMb: 96, maxOldGenerationSizeMb: 4096 };

/** What the threads work with, and what they ask of this one. */
export type TransitionThreadParts = Readonly<{
  place: Omit<TransitionWorkerData, 'kept'>;
  listener: Listener;
  /** Grows with every track that this process stored. */
  changes: () => number;
}>;

/**
 * Answers questions about transitions on threads of their own, so that what serves HTTP never waits for a search or a plan.
 * Every thread has its own connections, and its own index of entry points if that lies in memory. Sequences, which may take
 * seconds, never take all threads.
 */
export class TransitionThreads {
  readonly #pool: WorkerPool<TransitionQuestion, TransitionAnswer, never, HearingQuestion, HearingAnswer>;
  readonly #longOnes: TaskGate;
  readonly #threads: number;
  readonly #changes: () => number;

  /** @param threads most questions at a time, at least 2 */
  constructor({ place, listener, changes }: TransitionThreadParts, threads: number) {
    const data: TransitionWorkerData = { ...place, kept };
    const answer = (question: HearingQuestion): Promise<HearingAnswer> => hear(listener, question);
    this.#pool = new WorkerPool(workerEntry, threads, data, { limits, answer });
    this.#longOnes = new TaskGate(threads - 1);
    this.#threads = threads;
    this.#changes = changes;
  }

  /**
   * What may come next, as the JSON of a {@link NextResult} in UTF-8.
   *
   * @throws {WorkerTaskError} with a code of `TransitionAnswers.next`
   */
  async next({ signal, ...request }: NextRequest): Promise<Uint8Array> {
    const answer = await this.#ask({ kind: 'next', request }, signal);
    if (answer.kind !== 'next') throw new TypeError(`asked what is next, answered ${answer.kind}`);
    return answer.json;
  }

  /**
   * Judges and plans pairs, in their order.
   *
   * @throws {WorkerTaskError} with a code of `TransitionAnswers.score`
   */
  async score({ signal, ...request }: ScoreRequest): Promise<readonly PairScore[]> {
    const answer = await this.#ask({ kind: 'score', request }, signal);
    if (answer.kind !== 'score') throw new TypeError(`asked for scores, answered ${answer.kind}`);
    return answer.pairs;
  }

  /**
   * Orders tracks.
   *
   * @throws {WorkerTaskError} with a code of `TransitionAnswers.sequence`
   */
  async sequence(request: SequenceRequest): Promise<SequenceResult> {
    const answer = await this.#longOnes.run(() => this.#ask({ kind: 'sequence', request }));
    if (answer.kind !== 'sequence') throw new TypeError(`asked for a sequence, answered ${answer.kind}`);
    return answer.sequence;
  }

  /** Starts all threads, and reads the index of entry points in each ahead of the first question. */
  async warmUp(): Promise<void> {
    await Promise.all(Array.from({ length: this.#threads }, () => this.#ask({ kind: 'warm-up' })));
  }

  /** Ends the threads; questions that still wait are rejected. */
  close(): Promise<void> {
    return this.#pool.close();
  }

  #ask(task: TransitionTask, signal?: AbortSignal): Promise<TransitionAnswer> {
    return this.#pool.run({ task, changes: this.#changes() }, signal === undefined ? {} : { signal });
  }
}

async function hear(listener: Listener, question: HearingQuestion): Promise<HearingAnswer> {
  if (question.kind === 'profile') return { kind: 'profile', profile: await listener.profile(question.path) };
  return { kind: 'windows', rows: await listener.windows(question.path, question.windows) };
}
