import type { TrackAnalysis } from '@earmark/analysis';
import { fingerprintConfig } from '@earmark/fingerprint';
import type { TrackProfile } from '@earmark/transition';
import type { FingerprintRecord } from './fingerprint-file.js';
import type {
  Heard,
  ListenAnswer,
  ListenProgress,
  ListenTask,
  ListenWorkerData,
  TagChoice,
  Tagged,
} from './listen-task.js';
import type { EngineSettings } from './settings.js';
import type { SpeechMusicRange } from './speech-music.js';
import type { PreviewTask } from './transition/preview-task.js';
import type { SeamWindow } from './window-capture.js';
import { WorkerPool } from './worker-pool.js';

/** Threads load compiled code, also when this module itself was loaded from its source. */
const workerEntry = new URL('../dist/listen-worker.js', import.meta.url);

/** Identifies the configuration that made a fingerprint, such as `emfp-1`. */
export const fingerprintConfigId = `${fingerprintConfig.id}-${fingerprintConfig.version}`;

/** Longest audio of ingest and scan. */
export const mediaLimitMs = 12 * 3_600_000;
/** Longest clip that is looked up as one query. */
export const clipLimitMs = 60_000;

/** What a catalog stores of a recording. */
export const referenceDepth: HearDepth = {
  peakQuota: fingerprintConfig.indexQuota,
  maxDurationMs: mediaLimitMs,
};

/** Analysis of a file; `speechMusic` is there when a tagging model listened, too. */
export type AnalyzedFile = TrackAnalysis & Readonly<{ speechMusic?: readonly SpeechMusicRange[] }>;

/** Cancellation and progress of one file. */
export type HearOptions = Readonly<{
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: ListenProgress) => void) | undefined;
}>;

/** How much of a file is wanted. */
export type HearDepth = Readonly<{
  peakQuota: number;
  maxDurationMs: number;
  tag?: TagChoice;
  profile?: boolean;
}>;

/** Hears files on worker threads; needs neither database nor index. */
export class Listener {
  readonly #pool: WorkerPool<ListenTask, ListenAnswer, ListenProgress>;

  constructor(settings: Pick<EngineSettings, 'concurrency' | 'ffmpegPath'>) {
    const data: ListenWorkerData =
      settings.ffmpegPath === undefined ? {} : { ffmpegPath: settings.ffmpegPath };
    this.#pool = new WorkerPool(workerEntry, settings.concurrency, data);
  }

  /**
   * Decodes a file and extracts its peaks.
   *
   * @throws {WorkerTaskError} with a `media.*` code
   */
  async hear(path: string, depth: HearDepth, options: HearOptions = {}): Promise<Heard> {
    const answer = await this.#run({ kind: 'hear', path, ...depth }, options);
    if (answer.kind !== 'hear') throw new TypeError(`asked to hear, answered ${answer.kind}`);
    return answer;
  }

  /**
   * Hashes the bytes of a file: SHA-256, 64 hexadecimal digits.
   *
   * @throws {WorkerTaskError} with a `media.*` code
   */
  async hash(path: string, options: HearOptions = {}): Promise<string> {
    const answer = await this.#run({ kind: 'hash', path }, options);
    if (answer.kind !== 'hash') throw new TypeError(`asked for a hash, answered ${answer.kind}`);
    return answer.contentHash;
  }

  /** Hears a recording at the density that a catalog stores, ready to travel. */
  async fingerprint(path: string, options: HearOptions = {}): Promise<FingerprintRecord> {
    const contentHash = await this.hash(path, options);
    const { durationMs, peaks } = await this.hear(path, referenceDepth, options);
    return { path, durationMs, contentHash, fingerprintConfigId, peaks };
  }

  /**
   * Decodes a file and finds its beats, tempo, key, loudness and sections.
   *
   * @param modelFolder tagging model that also says where there is speech, music and singing
   * @throws {WorkerTaskError} with a `media.*` or `model.*` code
   */
  async analyze(
    path: string,
    { modelFolder, ...options }: HearOptions & Readonly<{ modelFolder?: string | undefined }> = {},
  ): Promise<AnalyzedFile> {
    const heard = modelFolder === undefined ? {} : { modelFolder };
    const task = { kind: 'analyze', path, maxDurationMs: mediaLimitMs, ...heard } as const;
    const answer = await this.#run(task, options);
    if (answer.kind !== 'analyze') throw new TypeError(`asked to analyse, answered ${answer.kind}`);
    const { analysis, speechMusic } = answer;
    return { ...analysis, ...(speechMusic === undefined ? {} : { speechMusic }) };
  }

  /**
   * Decodes a file and describes where it can be entered and left.
   *
   * @returns absent for a recording that is too long to be a track
   * @throws {WorkerTaskError} with a `media.*` code
   */
  async profile(path: string, options: HearOptions = {}): Promise<TrackProfile | undefined> {
    const answer = await this.#run({ kind: 'profile', path, maxDurationMs: mediaLimitMs }, options);
    if (answer.kind !== 'profile') throw new TypeError(`asked for a profile, answered ${answer.kind}`);
    return answer.profile;
  }

  /**
   * Decodes a file and tags it, segment by segment.
   *
   * @throws {WorkerTaskError} with a `media.*` or `model.*` code
   */
  async tag(path: string, choice: TagChoice, options: HearOptions = {}): Promise<Tagged> {
    const answer = await this.#run({ kind: 'tag', path, maxDurationMs: mediaLimitMs, ...choice }, options);
    if (answer.kind !== 'tag') throw new TypeError(`asked for tags, answered ${answer.kind}`);
    const { kind: _, ...tagged } = answer;
    return tagged;
  }

  /**
   * Describes windows of a file for the transition model.
   *
   * @returns row-major [windows, featureSize]; a window past the end of the file is all zeros
   * @throws {WorkerTaskError} with a `media.*` code
   */
  async windows(
    path: string,
    windows: readonly SeamWindow[],
    options: HearOptions = {},
  ): Promise<Float32Array> {
    const answer = await this.#run({ kind: 'windows', path, windows }, options);
    if (answer.kind !== 'windows') throw new TypeError(`asked for windows, answered ${answer.kind}`);
    return answer.rows;
  }

  /**
   * Renders the preview of a transition into a file.
   *
   * @throws {WorkerTaskError} with a `media.*` code
   */
  async preview(task: Omit<PreviewTask, 'kind'>, options: HearOptions = {}): Promise<void> {
    await this.#run({ kind: 'preview', ...task }, options);
  }

  /** Ends the threads; work that still runs is rejected. */
  close(): Promise<void> {
    return this.#pool.close();
  }

  #run(task: ListenTask, { signal, onProgress }: HearOptions): Promise<ListenAnswer> {
    return this.#pool.run(task, {
      ...(signal === undefined ? {} : { signal }),
      ...(onProgress === undefined ? {} : { onProgress }),
    });
  }
}
