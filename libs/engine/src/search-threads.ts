import type { Match } from '@earmark/fingerprint';
import type { TrackId } from '@earmark/kernel';
import type {
  IndexPlace,
  PeaksAnswer,
  PeaksQuestion,
  Scope,
  SearchAnswer,
  SearchProgress,
  SearchTask,
  SearchWorkerData,
} from './search-task.js';
import type { SharedPeaks } from './shared-peaks.js';
import { TaskGate } from './task-gate.js';
import { WorkerPool } from './worker-pool.js';

/** Threads load compiled code, also when this module itself was loaded from its source. */
const workerEntry = new URL('../dist/search-worker.js', import.meta.url);

/** Index pages kept in memory, all threads together. */
const pageBytes = 512 * 2 ** 20;
/** Decoded peaks kept by each thread. */
const peaksBytes = 48_000_000;
/** The table of tracks takes about 1 kB each, and a search makes many small things. */
const limits = { maxYoungGenerationSizeMb: 48, maxOldGenerationSizeMb: 2048 };

/** Cancellation and progress of one search. */
export type SearchingOptions = Readonly<{
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: SearchProgress) => void) | undefined;
}>;

/**
 * Searches on threads of their own: a clip that is in no catalog takes up to a second of computing, which nobody else
 * should wait for. Every thread reads the index by itself. Long recordings never take all threads.
 */
export class SearchThreads {
  readonly #pool: WorkerPool<SearchTask, SearchAnswer, SearchProgress, PeaksQuestion, PeaksAnswer>;
  readonly #longOnes: TaskGate;

  /** @param threads most searches at a time, at least 2 */
  constructor(index: IndexPlace, peaks: SharedPeaks, threads: number) {
    const data: SearchWorkerData = { index, pageBytes: Math.ceil(pageBytes / threads), peaksBytes };
    const answer = (trackIds: PeaksQuestion): Promise<PeaksAnswer> => peaks.findMany(trackIds);
    this.#pool = new WorkerPool(workerEntry, threads, data, { limits, answer });
    this.#longOnes = new TaskGate(threads - 1);
  }

  /**
   * Matches of a clip that is one query, best first.
   *
   * @param peaks encoded
   * @throws {WorkerTaskError} with an `index.*` code
   */
  async identify(peaks: Uint8Array, scope: Scope, options: SearchingOptions = {}): Promise<readonly Match[]> {
    const answer = await this.#run({ kind: 'identify', peaks, scope }, options);
    if (answer.kind !== 'identify') throw new TypeError(`asked to identify, answered ${answer.kind}`);
    return answer.matches;
  }

  /**
   * Matches inside a long recording, in order of time.
   *
   * @param peaks encoded
   * @throws {WorkerTaskError} with an `index.*` code
   */
  async scan(
    peaks: Uint8Array,
    scope: Scope,
    options: SearchingOptions,
  ): Promise<Readonly<{ matches: readonly Match[]; reference: Uint8Array }>> {
    const answer = await this.#longOnes.run(
      () => this.#run({ kind: 'scan', peaks, scope }, options),
      options.signal,
    );
    if (answer.kind !== 'scan') throw new TypeError(`asked to scan, answered ${answer.kind}`);
    return answer;
  }

  /**
   * The track that holds the same recording.
   *
   * @param peaks encoded, of the whole recording
   * @throws {WorkerTaskError} with an `index.*` code
   */
  async duplicateOf(peaks: Uint8Array, scope: Scope): Promise<TrackId | undefined> {
    const answer = await this.#run({ kind: 'duplicate', peaks, scope });
    if (answer.kind !== 'duplicate') throw new TypeError(`asked for a duplicate, answered ${answer.kind}`);
    return answer.trackId;
  }

  /** Ends the threads; searches that still run are rejected. */
  close(): Promise<void> {
    return this.#pool.close();
  }

  #run(task: SearchTask, { signal, onProgress }: SearchingOptions = {}): Promise<SearchAnswer> {
    return this.#pool.run(task, {
      ...(signal === undefined ? {} : { signal }),
      ...(onProgress === undefined ? {} : { onProgress }),
    });
  }
}
