import * as fs from 'node:fs';
import { join } from 'node:path';
import { IndexCorruptError } from '../errors.js';
import type { DurableFiles } from './durable-files.js';
import { closeSegments, loadIndex, logNumbers } from './index-loader.js';
import { Delta } from './delta.js';
import { IndexState, liveLandmarks, type LiveSegment } from './index-state.js';
import type { FlushJob, MaintenanceRunner, MergeJob } from './maintenance.js';
import { isIndexFile, logName, segmentName, writeManifest, type Manifest } from './manifest.js';
import { chooseMerge, type MergePolicy } from './merge-policy.js';
import type { PageCache } from './page-cache.js';
import { segmentFormatVersion } from './segment-format.js';
import { SegmentReader } from './segment-reader.js';
import { WriteAheadLog, type LogOperation } from './write-ahead-log.js';
import { WriterLock } from './writer-lock.js';

/** What a writer needs besides the folder. */
export type WriterSettings = Readonly<{
  directory: string;
  configId: string;
  cache: PageCache;
  files: DurableFiles;
  maintenance: MaintenanceRunner;
  mergePolicy: MergePolicy;
  /** Landmarks in memory at which a segment is written. */
  deltaLandmarks: number;
  /** Closing with at least so many landmarks in memory writes a segment first, so that the next start is quick. */
  closingLandmarks: number;
}>;

/** Log bytes at which a segment is written although few landmarks are in memory (many removals). */
const mostLogBytes = 256 * 2 ** 20;

/** The one writer of an index folder: log, memory, segments, and their maintenance in the background. */
export class IndexWriter {
  private readonly log: WriteAheadLog;
  /** Number of the log file that takes what is written now. */
  private logFile: number;
  private firstLog: number;
  private nextFile: number;
  private generation: number;
  /** A delta that is being written to a segment; its operations are in the log files before `logFile`. */
  private frozen: Delta | undefined;
  private working: Promise<void> | undefined;
  private obsolete: string[] = [];
  private closing = false;
  private merging = false;
  private mergingStopped = false;
  /** The last failure of maintenance, until a later one succeeds. */
  problem: Error | undefined;

  private constructor(
    private readonly settings: WriterSettings,
    private readonly lock: WriterLock,
    readonly state: IndexState,
    start: Readonly<{ manifest: Manifest; log: Readonly<{ number: number; end: number }> }>,
  ) {
    const { directory, configId, files } = settings;
    this.firstLog = start.manifest.firstLog;
    this.nextFile = start.manifest.nextFile;
    this.generation = start.manifest.generation;
    this.logFile = start.log.number;
    this.log = WriteAheadLog.resume(
      join(directory, logName(this.logFile)),
      start.log.end,
      configId,
      files,
      (operation) => this.state.apply(operation),
      () => this.freezeWhenFull(),
    );
  }

  /**
   * Takes the lock, brings the folder to its last durable state and removes what an interrupted writer left.
   *
   * @throws {IndexLockedError} when another writer is alive
   */
  static open(settings: WriterSettings): IndexWriter {
    const { directory, configId, files, cache } = settings;
    fs.mkdirSync(directory, { recursive: true });
    const lock = WriterLock.acquire(directory, files);
    let state: IndexState | undefined;
    try {
      let loaded = loadIndex(directory, configId, cache, new Map());
      if (!loaded) {
        if (fs.readdirSync(directory).some((name) => name.endsWith('.emfx'))) {
          throw new IndexCorruptError(
            join(directory, 'MANIFEST'),
            0,
            'it is missing while segments are there',
          );
        }
        removeOthers(directory, new Set(), files);
        loaded = create(directory, configId, files);
      }
      state = loaded.state;
      const { manifest } = loaded;
      const logs = logNumbers(directory).filter((number) => number >= manifest.firstLog);
      const known = new Set([...manifest.segments.map(({ name }) => name), ...logs.map(logName)]);
      removeOthers(directory, known, files);
      const nextFile = Math.max(manifest.nextFile, loaded.log.number + 1);
      return new IndexWriter(settings, lock, state, { ...loaded, manifest: { ...manifest, nextFile } });
    } catch (error) {
      if (state) closeSegments(state);
      lock.release();
      throw error;
    }
  }

  /** Resolves when the operation is durable and can be found. */
  async write(operation: LogOperation): Promise<void> {
    // Memory stays bounded: at most one delta is being written while the next one fills.
    const { state, settings } = this;
    while (this.frozen && this.working && state.active.landmarks >= settings.deltaLandmarks)
      await this.working;
    if (this.frozen && state.active.landmarks >= 2 * settings.deltaLandmarks) this.rethrow();
    await this.log.append(operation);
  }

  /** Writes what is in memory to a segment. */
  async flush(): Promise<void> {
    this.problem = undefined;
    if (this.frozen) await this.maintain();
    this.rethrow();
    await this.log.settle(() => this.freeze());
    this.rethrow();
    await this.maintain();
    this.rethrow();
  }

  /**
   * Flushes, then merges all segments into as few as their limit allows, without the removed tracks and in the present
   * format.
   */
  async compact(): Promise<void> {
    await this.flush();
    let group: LiveSegment[] = [];
    let sum = 0;
    const groups: LiveSegment[][] = [];
    for (const segment of this.state.segments) {
      const live = liveLandmarks(segment);
      if (group.length === 0 || sum + live > this.settings.mergePolicy.mostLandmarks) {
        group = [];
        groups.push(group);
        sum = 0;
      }
      group.push(segment);
      sum += live;
    }
    for (const chosen of groups) {
      const [{ dead, reader }] = chosen;
      if (chosen.length === 1 && dead.size === 0 && reader.version === segmentFormatVersion) continue;
      await this.exclusively(() => this.merge(chosen));
      this.rethrow();
    }
  }

  async close(): Promise<void> {
    if (this.closing) return;
    this.closing = true;
    const { closingLandmarks, maintenance } = this.settings;
    // A merge can be done again at any time; a flush is worth waiting for.
    if (this.merging) await maintenance.close();
    await this.working;
    await this.log.settle(() => {
      if (this.state.active.landmarks >= closingLandmarks) this.freeze();
    });
    if (this.frozen) await this.maintain();
    await maintenance.close();
    await this.log.close();
    closeSegments(this.state);
    this.lock.release();
  }

  private freezeWhenFull(): void {
    const { active } = this.state;
    if (active.landmarks < this.settings.deltaLandmarks && this.log.bytes < mostLogBytes) return;
    this.freeze();
    if (!this.working) void this.maintain();
  }

  /** Puts the active delta aside for flushing and starts a new one with its own log file. */
  private freeze(): void {
    const { state } = this;
    if (
      this.frozen ||
      (state.active.landmarks === 0 && state.countDead() === 0 && state.active.tracks.tracks.length === 0)
    )
      return;
    const number = this.nextFile;
    try {
      this.log.rotate(join(this.settings.directory, logName(number)));
    } catch (error) {
      this.problem = errorOf(error);
      return;
    }
    this.nextFile++;
    this.logFile = number;
    this.frozen = state.active;
    state.deltas.push(new Delta());
  }

  private maintain(): Promise<void> {
    return this.exclusively(async () => {
      if (this.frozen) await this.flushFrozen(this.frozen);
      while (!this.closing && !this.mergingStopped) {
        const chosen = chooseMerge(this.state.segments, this.settings.mergePolicy);
        if (chosen.length === 0) break;
        await this.merge(chosen);
      }
    });
  }

  /** Runs one piece of maintenance after the one under way; keeps its failure for `health`. */
  private exclusively(work: () => Promise<void>): Promise<void> {
    const before = this.working;
    const done = (async () => {
      await before;
      try {
        await work();
        this.problem = undefined;
      } catch (error) {
        if (error instanceof IndexCorruptError) this.mergingStopped = true;
        if (!this.closing) this.problem = errorOf(error);
      }
    })();
    this.working = done;
    void done.then(() => {
      if (this.working === done) this.working = undefined;
    });
    return done;
  }

  private rethrow(): void {
    if (this.problem) throw this.problem;
  }

  private async flushFrozen(frozen: Delta): Promise<void> {
    const firstLog = this.logFile;
    const reader = await this.build((path, configId) => ({
      kind: 'flush',
      path,
      configId,
      postings: frozen.arrays(),
      tracks: frozen.tracks.tracks,
      dead: frozen.dead.toBytes(),
    }));
    this.state.replace([frozen], reader);
    this.frozen = undefined;
    const { directory } = this.settings;
    for (const number of logNumbers(directory)) if (number < firstLog) this.obsolete.push(logName(number));
    this.firstLog = firstLog;
    this.commit();
  }

  private async merge(chosen: readonly LiveSegment[]): Promise<void> {
    this.merging = true;
    const reader = await this.build((path, configId) => ({
      kind: 'merge',
      path,
      configId,
      inputs: chosen.map((segment) => ({ path: segment.reader.path, dead: segment.dead.toBytes() })),
    })).finally(() => (this.merging = false));
    this.state.replace(chosen, reader);
    for (const segment of chosen) {
      this.obsolete.push(segment.reader.name);
      segment.reader.release();
    }
    this.commit();
  }

  /** Has a segment made; undefined when no track in it would be alive. */
  private async build(
    jobFor: (path: string, configId: string) => FlushJob | MergeJob,
  ): Promise<SegmentReader | undefined> {
    const { directory, configId, files, maintenance, cache } = this.settings;
    const path = join(directory, segmentName(this.nextFile++));
    try {
      const { bytes } = await maintenance.run(jobFor(path, configId));
      if (bytes === undefined) return undefined;
      files.syncDirectory(directory);
      return SegmentReader.open(path, configId, cache);
    } catch (error) {
      files.remove(path);
      throw error;
    }
  }

  /** Makes the present set of files the durable one and removes those that are no longer part of it. */
  private commit(): void {
    const { directory, configId, files } = this.settings;
    const { segments, appliedSequence } = this.state;
    writeManifest(
      directory,
      {
        configId,
        generation: ++this.generation,
        nextFile: this.nextFile,
        segments: segments.map(({ reader, dead }) => ({ name: reader.name, dead })),
        firstLog: this.firstLog,
        appliedSequence,
      },
      files,
    );
    for (const name of this.obsolete.splice(0)) files.remove(join(directory, name));
  }
}

/** Lays out an empty index: a log, then the manifest that names it. */
function create(
  directory: string,
  configId: string,
  files: DurableFiles,
): NonNullable<ReturnType<typeof loadIndex>> {
  const noop = (): void => undefined;
  const log = WriteAheadLog.create(join(directory, logName(1)), configId, files, noop, noop);
  const manifest: Manifest = {
    configId,
    generation: 1,
    nextFile: 2,
    segments: [],
    firstLog: 1,
    appliedSequence: 0,
  };
  writeManifest(directory, manifest, files);
  const { bytes } = log;
  void log.close();
  return { manifest, state: new IndexState(), log: { number: 1, end: bytes } };
}

function removeOthers(directory: string, known: ReadonlySet<string>, files: DurableFiles): void {
  for (const name of fs.readdirSync(directory)) {
    if (isIndexFile(name) && !known.has(name)) files.remove(join(directory, name));
  }
}

function errorOf(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
