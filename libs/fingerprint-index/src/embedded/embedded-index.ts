import * as fs from 'node:fs';
import { join } from 'node:path';
import { fingerprintConfig } from '@earmark/fingerprint';
import type { TrackId } from '@earmark/kernel';
import { IndexCorruptError, IndexStateError } from '../errors.js';
import type {
  FingerprintIndex,
  IndexCandidate,
  IndexChunk,
  IndexHealth,
  IndexQuery,
  WriteOptions,
} from '../port.js';
import { groupByTrack } from './delta.js';
import { nodeFiles, type DurableFiles } from './durable-files.js';
import { IndexFollower } from './index-follower.js';
import { logNumbers } from './index-loader.js';
import type { IndexState } from './index-state.js';
import { IndexWriter } from './index-writer.js';
import type { MaintenanceRunner } from './maintenance.js';
import { MaintenanceThread } from './maintenance-thread.js';
import { logName } from './manifest.js';
import { defaultMergePolicy, type MergePolicy } from './merge-policy.js';
import { PageCache } from './page-cache.js';
import { Searcher } from './search.js';

/** Name of the configuration that {@link fingerprintConfig} gives to index files. */
export const indexConfigId = `${fingerprintConfig.id}@${fingerprintConfig.version}`;

/** How an embedded index is opened. */
export type EmbeddedIndexOptions = Readonly<{
  /** Folder of the index; made when writing. */
  directory: string;
  /** One process writes; any number read the state that it has made durable. */
  mode: 'write' | 'read';
  /** Fingerprint configuration that the landmarks come from; default {@link indexConfigId}. */
  configId?: string;
  /** Most bytes of segment pages in memory; default 512 MiB, taken as queries need them. */
  cacheBytes?: number;
  /** Landmarks in memory at which a segment is written; default 2 million, about 2.5 h of music. */
  deltaLandmarks?: number;
  /** Closing with at least so many landmarks in memory writes a segment first; default 100,000. */
  closingLandmarks?: number;
  mergePolicy?: Partial<MergePolicy>;
  /** How files are written; default the file system. */
  files?: DurableFiles;
  /** Where segments are written and merged; default a worker thread. */
  maintenance?: MaintenanceRunner;
}>;

/**
 * Opens an index of segment files in a folder.
 *
 * @throws {IndexLockedError} when another process writes to it
 * @throws {IndexCorruptError} when a file is damaged, naming file and offset
 * @throws {IndexConfigMismatchError} when it was made by another configuration or format
 */
export function openEmbeddedIndex(options: EmbeddedIndexOptions): Promise<EmbeddedIndex> {
  return Promise.resolve().then(() => {
    const { directory } = options;
    const configId = options.configId ?? indexConfigId;
    const cache = new PageCache(options.cacheBytes ?? 512 * 2 ** 20);
    const owner =
      options.mode === 'read'
        ? IndexFollower.open(directory, configId, cache)
        : IndexWriter.open({
            directory,
            configId,
            cache,
            files: options.files ?? nodeFiles,
            maintenance: options.maintenance ?? new MaintenanceThread(),
            mergePolicy: { ...defaultMergePolicy, ...options.mergePolicy },
            deltaLandmarks: options.deltaLandmarks ?? 2_000_000,
            closingLandmarks: options.closingLandmarks ?? 100_000,
          });
    return new EmbeddedIndex(directory, owner, cache);
  });
}

/** The embedded index: the port, and the care that its files need. */
export class EmbeddedIndex implements FingerprintIndex {
  private readonly searcher = new Searcher();
  private closed = false;
  /** The first damage that a query met. */
  private damage: IndexCorruptError | undefined;

  constructor(
    private readonly directory: string,
    private readonly owner: IndexWriter | IndexFollower,
    private readonly cache: PageCache,
  ) {}

  async add(chunks: readonly IndexChunk[], options: WriteOptions = {}): Promise<void> {
    const writer = this.writer();
    const tracks = groupByTrack(chunks);
    if (isApplied(writer.state, options)) return;
    if (tracks.length === 0 && options.sequence === undefined) return;
    await writer.write({ kind: 'add', tracks, ...options });
  }

  async remove(trackId: TrackId, options: WriteOptions = {}): Promise<void> {
    const writer = this.writer();
    if (isApplied(writer.state, options)) return;
    await writer.write({ kind: 'remove', trackId, ...options });
  }

  async candidates(query: IndexQuery, k: number): Promise<readonly IndexCandidate[]> {
    const state = this.state();
    const { sources, segments } = state;
    const readers = segments.map((segment) => segment.reader.retain());
    try {
      const found = await this.searcher.candidates(sources, query, k);
      // A track may have been removed while pages were being read.
      return found.filter(({ trackId }) => state.has(trackId));
    } catch (error) {
      if (error instanceof IndexCorruptError) this.damage ??= error;
      throw error;
    } finally {
      for (const reader of readers) reader.release();
    }
  }

  appliedSequence(): Promise<number> {
    return Promise.resolve(this.state().appliedSequence);
  }

  health(): Promise<IndexHealth> {
    if (this.closed) {
      return Promise.resolve({ status: 'down', tracks: 0, chunks: 0, landmarks: 0, bytes: 0, details: {} });
    }
    const state = this.state();
    const problem = this.damage ?? (this.owner instanceof IndexWriter ? this.owner.problem : undefined);
    return Promise.resolve({
      status: problem === undefined ? 'ok' : 'degraded',
      tracks: state.trackCount,
      chunks: state.countChunks(),
      landmarks: state.landmarks,
      bytes: this.bytes(state),
      details: {
        engine: 'embedded',
        mode: this.owner instanceof IndexWriter ? 'write' : 'read',
        segments: state.segments.length,
        deltaLandmarks: state.deltas.reduce((sum, delta) => sum + delta.landmarks, 0),
        removedTracks: state.countDead(),
        cacheBytes: this.cache.bytes,
        appliedSequence: state.appliedSequence,
        ...(problem === undefined
          ? {}
          : { problem: problem instanceof Error ? problem.message : String(problem) }),
        ...(this.damage ? { damagedFile: this.damage.file, damagedAt: this.damage.offset } : {}),
      },
    });
  }

  /** Takes in what the writer has made durable since; for an index opened for reading. */
  refresh(): Promise<void> {
    return Promise.resolve().then(() => {
      this.state();
      if (this.owner instanceof IndexFollower) this.owner.refresh();
    });
  }

  /** Writes what is in memory to a segment file. */
  async flush(): Promise<void> {
    await this.writer().flush();
  }

  /** Merges all segments and gives back the space of removed tracks. */
  async compact(): Promise<void> {
    await this.writer().compact();
  }

  /**
   * Reads every page of every segment and checks it; for `doctor`.
   *
   * @throws {IndexCorruptError} naming the first damaged page
   */
  async verify(): Promise<void> {
    const readers = this.state().segments.map((segment) => segment.reader.retain());
    try {
      for (const reader of readers) await reader.verify();
    } catch (error) {
      if (error instanceof IndexCorruptError) this.damage ??= error;
      throw error;
    } finally {
      for (const reader of readers) reader.release();
    }
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    await this.owner.close();
  }

  private bytes(state: IndexState): number {
    let bytes = 0;
    for (const segment of state.segments) bytes += segment.reader.bytes;
    for (const number of logNumbers(this.directory)) {
      bytes += fs.statSync(join(this.directory, logName(number)), { throwIfNoEntry: false })?.size ?? 0;
    }
    return bytes;
  }

  private state(): IndexState {
    if (this.closed) throw new IndexStateError('the index is closed');
    return this.owner.state;
  }

  private writer(): IndexWriter {
    this.state();
    if (this.owner instanceof IndexWriter) return this.owner;
    throw new IndexStateError('the index is open for reading only');
  }
}

function isApplied(state: IndexState, { sequence }: WriteOptions): boolean {
  return sequence !== undefined && sequence <= state.appliedSequence;
}
