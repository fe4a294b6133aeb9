import type { Catalog, CatalogStore, TrackMetadata, TrackStore } from '@earmark/catalog';
import { decodePeaks, fingerprintConfig, framesToMs } from '@earmark/fingerprint';
import { type CatalogId, DomainError, InvalidValueError, type TenantId, type TrackId } from '@earmark/kernel';
import type {
  EngineHealth,
  EngineStats,
  IngestMetadata,
  IngestRequest,
  IngestResult,
  ListeningOptions,
  ListeningService,
  ListenRequest,
  ListenResult,
  ScanStore,
} from '@earmark/monitoring';
import type { ModelEntry } from '@earmark/models';
import type { Database } from '@earmark/storage';
import type { FingerprintRecord } from './fingerprint-file.js';
import type { HeardTags } from './heard-tags.js';
import type { IndexKeeper } from './index-keeper.js';
import {
  clipLimitMs,
  fingerprintConfigId,
  type HearDepth,
  type HearOptions,
  type Listener,
  mediaLimitMs,
  referenceDepth,
} from './listener.js';
import type { Recognition } from './recognition.js';
import type { SearchThreads } from './search-threads.js';
import type { SharedPeaks } from './shared-peaks.js';
import { TaskGate } from './task-gate.js';
import type { TransitionThreads } from './transition/transition-threads.js';
import type { HeardTrack, Transitions } from './transition/transitions.js';
import type { TaggingService } from './tagging-service.js';

const clipDepth: HearDepth = { peakQuota: fingerprintConfig.queryQuota, maxDurationMs: clipLimitMs };
const scanDepth: HearDepth = { peakQuota: fingerprintConfig.queryQuota, maxDurationMs: mediaLimitMs };
/** Clips that are decoded, searched or waiting at a time, for each thread: some seconds of work. */
const clipsPerThread = 64;
/** Name of the catalog that is meant when none is named. */
export const defaultCatalogName = 'main';

/** Audio in which nothing can be recognised: silence, or so short that it has no peaks. */
export class SilentAudioError extends DomainError {
  readonly code = 'media.silent';
}

/** A track that was to get its audio and is no longer there. */
export class TrackGoneError extends DomainError {
  readonly code = 'catalog.track-gone';
}

/** A catalog that was named but does not exist. */
export class UnknownCatalogError extends DomainError {
  readonly code = 'catalog.unknown-catalog';
}

/** The parts that an engine works with. */
export type EngineParts = Readonly<{
  database: Database;
  catalogs: CatalogStore;
  tracks: TrackStore;
  scans: ScanStore;
  keeper: IndexKeeper;
  peaks: SharedPeaks;
  threads: SearchThreads;
  recognition: Recognition;
  listener: Listener;
  tenantId: TenantId;
  concurrency: number;
  transitions: Transitions;
  transitionThreads: TransitionThreads;
  tagging: TaggingService;
  /** Whether recordings are tagged when they are taken in. */
  tagOnIngest: boolean;
}>;

/** Where a recording goes. */
export type IngestTarget = Readonly<{ tenantId: TenantId; catalogId: CatalogId; allowDuplicates?: boolean }>;

type Recording = Readonly<{
  durationMs: number;
  contentHash: string;
  peaks: Uint8Array;
  sourcePath: string;
  tagged?: (HeardTags & Readonly<{ entry: ModelEntry }>) | undefined;
  /** Present when the audio itself was heard here. */
  heard?: HeardTrack;
}>;

/**
 * The use cases over decoder, fingerprint, index and database, as command line, API and workers call them.
 */
export class Engine implements ListeningService {
  /** Ends of the chain that makes duplicate check and commit one step, so that no recording gets in twice. */
  #lastCommit: Promise<unknown> = Promise.resolve();

  readonly #clips: TaskGate;

  constructor(private readonly parts: EngineParts) {
    this.#clips = new TaskGate(clipsPerThread * parts.concurrency, 0);
  }

  /** Tenant of this installation's own command line. */
  get tenantId(): TenantId {
    return this.parts.tenantId;
  }

  /** Files that are worth having in work at a time. */
  get concurrency(): number {
    return this.parts.concurrency;
  }

  /** What comes next, and how to mix it. */
  get transitions(): Transitions {
    return this.parts.transitions;
  }

  /** The same questions for a process that is asked all the time; no thread runs before the first one. */
  get transitionThreads(): TransitionThreads {
    return this.parts.transitionThreads;
  }

  /** The open database, for the API's own stores. */
  get database(): Database {
    return this.parts.database;
  }

  /** Finds or makes a catalog of the command line's tenant. */
  async ensureCatalog(name = defaultCatalogName): Promise<CatalogId> {
    return (await this.parts.catalogs.ensureCatalog(this.tenantId, name)).id;
  }

  /**
   * Catalogs to search: the named one, or all (an empty list).
   *
   * @throws {UnknownCatalogError} if there is no catalog of that name
   */
  async catalogIds(name: string | undefined): Promise<readonly CatalogId[]> {
    if (name === undefined) return [];
    const catalog: Catalog | undefined = await this.parts.catalogs.findCatalog(this.tenantId, name);
    if (catalog === undefined) throw new UnknownCatalogError(`there is no catalog "${name}"`);
    return [catalog.id];
  }

  /** {@inheritDoc ListeningService.ingestFile} */
  async ingestFile(request: IngestRequest): Promise<IngestResult> {
    const { listener } = this.parts;
    const sourcePath = request.sourceName ?? request.path;
    const contentHash = await listener.hash(request.path, { signal: request.signal });
    const known = await this.#alreadyThere(request, contentHash, sourcePath);
    const { tagging, tagOnIngest, transitions } = this.parts;
    if (known !== undefined) {
      if (known.status === 'ready') await transitions.complete(request.tenantId, known.trackId, request.path);
      return known;
    }
    const entry = tagOnIngest ? await tagging.modelFor(request.tenantId) : undefined;
    const depth = {
      ...referenceDepth,
      profile: transitions.analyzeOnIngest,
      ...(entry && { tag: tagging.choiceOf(entry) }),
    };
    const heard = await listener.hear(request.path, depth, listening(request));
    const { durationMs, peaks, tags, outputs } = heard;
    const tagged = entry && tags && outputs && { tags, outputs, entry };
    const { path, keepAudio = false } = request;
    const track = { path, contentHash, keep: keepAudio, profile: heard.profile };
    return this.#store({ durationMs, contentHash, peaks, sourcePath, tagged, heard: track }, request);
  }

  /** Takes in a recording whose audio was heard elsewhere. */
  async ingestFingerprint(record: FingerprintRecord, target: IngestTarget): Promise<IngestResult> {
    if (record.fingerprintConfigId !== fingerprintConfigId) {
      throw new InvalidValueError(
        'fingerprint.unknown-version',
        '/fingerprintConfigId',
        `made by ${record.fingerprintConfigId}, this version reads ${fingerprintConfigId}`,
      );
    }
    const known = await this.#alreadyThere(target, record.contentHash, record.path);
    return known ?? this.#store({ ...record, sourcePath: record.path }, target);
  }

  /**
   * {@inheritDoc ListeningService.identifyFile}
   *
   * @throws {EngineBusyError} if too many clips are in work
   */
  identifyFile(request: ListenRequest): Promise<ListenResult> {
    return this.#clips.run(async () => {
      const heard = await this.parts.listener.hear(request.path, clipDepth, listening(request));
      const { signal } = request;
      const matches = await this.parts.recognition.identify(heard.peaks, request, { signal });
      return { durationMs: heard.durationMs, matches, ...(heard.partial ? { partial: true } : {}) };
    });
  }

  /** {@inheritDoc ListeningService.scanFile} */
  async scanFile(
    request: Parameters<ListeningService['scanFile']>[0],
  ): ReturnType<ListeningService['scanFile']> {
    const { listener, recognition, scans } = this.parts;
    const { tenantId } = request;
    const scanId =
      request.scanId ??
      (
        await scans.create({
          tenantId,
          source: request.sourceName ?? request.path,
          ...(request.catalogIds === undefined ? {} : { catalogIds: request.catalogIds }),
        })
      ).id;
    await scans.setState(tenantId, scanId, 'running');
    try {
      const heard = await listener.hear(request.path, scanDepth, listening(request));
      const report = progressOf(request, 'match');
      const { matches, reference } = await recognition.scan(heard.peaks, request, {
        onProgress: ({ doneFrames, totalFrames }) =>
          report?.({ doneMs: framesToMs(doneFrames), totalMs: framesToMs(totalFrames) }),
        signal: request.signal,
      });
      await scans.complete(tenantId, scanId, {
        durationMs: heard.durationMs,
        matches,
        peaks: { fingerprintConfigId, peaks: reference, gaps: [] },
      });
      return { scanId, durationMs: heard.durationMs, matches, ...(heard.partial ? { partial: true } : {}) };
    } catch (error) {
      const cancelled = request.signal?.aborted === true;
      const title = error instanceof Error ? error.message : String(error);
      const code = error instanceof DomainError ? error.code : 'internal';
      await scans.setState(
        tenantId,
        scanId,
        cancelled ? 'cancelled' : 'failed',
        cancelled ? undefined : { code, title },
      );
      throw error;
    }
  }

  /** {@inheritDoc ListeningService.deleteTrack} */
  async deleteTrack(tenantId: TenantId, trackId: TrackId): Promise<boolean> {
    const removeAudio = await this.parts.transitions.audio.beforeRemoval(tenantId, trackId);
    const removed = await this.parts.tracks.remove(tenantId, trackId);
    if (!removed) return false;
    await removeAudio();
    this.parts.peaks.forget(trackId);
    await this.parts.keeper.catchUp();
    return true;
  }

  /** Tags of tracks and the models that say them. */
  get tagging(): TaggingService {
    return this.parts.tagging;
  }

  /** The command line's own ready track that was made of exactly these bytes; absent if there is none. */
  async trackOfFile(path: string): Promise<TrackId | undefined> {
    const contentHash = await this.parts.listener.hash(path);
    const catalogs = await this.parts.catalogs.listCatalogs(this.tenantId);
    for (const { id } of catalogs) {
      const [track] = await this.parts.tracks.findByContentHash(this.tenantId, id, contentHash);
      if (track !== undefined) return track.id;
    }
    return undefined;
  }

  /** {@inheritDoc ListeningService.health} */
  async health(): Promise<EngineHealth> {
    const index = await this.parts.keeper.health();
    return {
      status: index.status,
      details: {
        indexTracks: index.tracks,
        indexRole: this.parts.keeper.writes ? 'writer' : 'reader',
        ...index.details,
      },
    };
  }

  /** {@inheritDoc ListeningService.stats} */
  async stats(tenantId: TenantId): Promise<EngineStats> {
    const [totals, { tracks, landmarks, bytes }] = await Promise.all([
      this.parts.tracks.totals(tenantId),
      this.parts.keeper.health(),
    ]);
    return { ...totals, index: { tracks, landmarks, bytes } };
  }

  /** {@inheritDoc ListeningService.rebuildIndex} */
  async rebuildIndex(options: ListeningOptions = {}): Promise<{ tracks: number }> {
    let done = 0;
    const tracks = await this.parts.keeper.rebuild(() => {
      options.onProgress?.({ stage: 'index', done: ++done, total: 0 });
    }, options.signal);
    return { tracks };
  }

  /** Removes what the installation keeps outside its data folder: its indexes in a cluster. Close the engine next. */
  async removeIndex(): Promise<void> {
    await this.parts.transitions.removeIndex();
    await this.parts.keeper.remove();
  }

  /** Ends threads, index and database connections; an embedded database stops with its last user. */
  async close(): Promise<void> {
    const { listener, threads, transitionThreads } = this.parts;
    await Promise.all([listener.close(), threads.close(), transitionThreads.close()]);
    await this.parts.transitions.close();
    await this.parts.keeper.close();
    await this.parts.database.close();
  }

  /** The same bytes: `ready` under the same name, else a duplicate; catches up with the index, in case of a crash. */
  async #alreadyThere(
    target: IngestTarget & Readonly<{ trackId?: TrackId }>,
    contentHash: string,
    sourcePath: string,
  ): Promise<IngestResult | undefined> {
    const same = await this.parts.tracks.findByContentHash(target.tenantId, target.catalogId, contentHash);
    const track =
      same.find((one) => one.sourcePath === sourcePath) ??
      (target.allowDuplicates === true ? undefined : same[0]);
    if (track === undefined || target.trackId !== undefined) return undefined;
    await this.parts.keeper.catchUp();
    const status = track.sourcePath === sourcePath ? 'ready' : 'duplicate';
    return { trackId: track.id, durationMs: track.durationMs ?? 0, status };
  }

  async #store(
    recording: Recording,
    target: IngestTarget & Readonly<{ trackId?: TrackId; metadata?: IngestMetadata; signal?: AbortSignal }>,
  ): Promise<IngestResult> {
    const { peaks } = recording;
    if (decodePeaks(peaks).frames.length === 0) {
      throw new SilentAudioError(
        'nothing to recognise: the audio is silent or shorter than a tenth of a second',
      );
    }
    const commit = this.#lastCommit
      .catch(() => undefined)
      .then(async (): Promise<IngestResult> => {
        target.signal?.throwIfAborted();
        const { durationMs } = recording;
        if (target.allowDuplicates !== true) {
          const existing = await this.parts.recognition.duplicateOf(peaks, target);
          if (existing !== undefined) return { trackId: existing, durationMs, status: 'duplicate' };
        }
        const trackId = await this.#commit(recording, target);
        const { tagged } = recording;
        if (tagged !== undefined)
          await this.parts.tagging.save(target.tenantId, trackId, tagged.entry, tagged);
        if (recording.heard !== undefined)
          await this.parts.transitions.takeIn(target.tenantId, trackId, recording.heard);
        await this.parts.keeper.catchUp(target.signal);
        return { trackId, durationMs, status: 'ready' };
      });
    this.#lastCommit = commit;
    return commit;
  }

  async #commit(
    { durationMs, contentHash, peaks, sourcePath }: Recording,
    target: IngestTarget & Readonly<{ trackId?: TrackId; metadata?: IngestMetadata }>,
  ): Promise<TrackId> {
    const { tracks } = this.parts;
    const { tenantId, catalogId } = target;
    const audio = { durationMs, contentHash, fingerprintConfigId, peaks, sourcePath };
    if (target.trackId === undefined) {
      const track = { tenantId, catalogId, metadata: describe(target.metadata), sourcePath };
      return (await tracks.create(track, audio)).id;
    }
    if ((await tracks.complete(tenantId, target.trackId, audio)) === undefined) {
      throw new TrackGoneError(`the track ${target.trackId} was deleted meanwhile`);
    }
    return target.trackId;
  }
}

function describe(metadata: IngestMetadata | undefined): TrackMetadata {
  const { title, artists, isrc, refs, rights, explicit } = metadata ?? {};
  return {
    artists: artists ?? [],
    refs: refs ?? [],
    ...(title === undefined ? {} : { title }),
    ...(isrc === undefined ? {} : { isrc }),
    ...(rights === undefined ? {} : { rights }),
    ...(explicit === undefined ? {} : { explicit }),
  };
}

function listening(request: ListeningOptions): HearOptions {
  return { signal: request.signal, onProgress: progressOf(request, 'listen') };
}

function progressOf(
  { onProgress }: ListeningOptions,
  stage: string,
): ((progress: { doneMs: number; totalMs: number }) => void) | undefined {
  if (onProgress === undefined) return undefined;
  return ({ doneMs, totalMs }) => onProgress({ stage, done: Math.round(doneMs), total: Math.round(totalMs) });
}
