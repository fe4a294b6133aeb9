import type { TrackStore } from '@earmark/catalog';
import type { TenantId, TrackId } from '@earmark/kernel';
import {
  findModel,
  type ModelEntry,
  type ModelError,
  type ModelRegistry,
  TaggingSession,
  voiceOf,
} from '@earmark/models';
import {
  type Database,
  type ModelRef,
  PgModelVersionStore,
  PgTagSearch,
  PgTagStore,
  type StoredTagging,
} from '@earmark/storage';
import type { TaggerModel, TagResult } from '@earmark/tagging';
import { type HeardTags, toStore } from './heard-tags.js';
import type { TagChoice } from './listen-task.js';
import type { Listener } from './listener.js';
import type { AudioPlaces } from './transition/audio-places.js';
import { TagFinder } from './tag-finder.js';
import { retagCatalog, type RetagReport, type RetagRequest } from './retag.js';

/** What tagging works with. */
export type TaggingParts = Readonly<{
  database: Database;
  listener: Listener;
  tracks: TrackStore;
  registry: ModelRegistry;
  /** Where the audio of tracks can be read again. */
  audio: AudioPlaces;
}>;

/** A version of a model, as a tenant sees it. */
export type ModelVersion = ModelRef &
  Readonly<{
    /**
     * `active`: its tags are shown and new recordings get it; `missing`: its tags are stored, but its files are gone.
     */
    state: 'active' | 'available' | 'missing';
    /** Tracks that it has tagged. */
    tracks: number;
    /** Absent when its files are gone. */
    about?: Readonly<{
      parameters: number;
      bytes: number;
      tags: number;
      /** Tags that no labelled data has proven. */
      experimental: number;
      /** Mean over the tags with labelled data; absent without any. */
      macroRocAuc?: number;
    }>;
  }>;

/** Models at hand and in use, and what is wrong with folders that should hold one. */
export type ModelOverview = Readonly<{
  versions: readonly ModelVersion[];
  problems: readonly ModelError[];
}>;

const sameModel = (a: ModelRef | undefined, b: ModelRef): boolean =>
  a?.id === b.id && a.version === b.version;

/** Tags of tracks and the models that say them. */
export class TaggingService {
  readonly store: PgTagStore;
  readonly versions: PgModelVersionStore;
  readonly finder: TagFinder;
  readonly #known = new Set<string>();

  constructor(private readonly parts: TaggingParts) {
    this.store = new PgTagStore(parts.database);
    this.versions = new PgModelVersionStore(parts.database.pool);
    this.finder = new TagFinder(new PgTagSearch(parts.database.pool), this.store, this.versions);
  }

  /**
   * The model that hears a tenant's new recordings: the active one, or the newest `earmark-tagger` if none is active or its
   * files are gone.
   *
   * @throws {ModelError} `model.not-found` if there is no model at all
   */
  async modelFor(tenantId: TenantId): Promise<ModelEntry> {
    const { registry } = this.parts;
    const active = await this.versions.active(tenantId);
    return registry.entries.find((entry) => sameModel(active, entry)) ?? registry.find();
  }

  /** How a thread must hear a recording whose tags {@link save} will store. */
  choiceOf(entry: ModelEntry): TagChoice {
    return { modelFolder: entry.folder, all: true, experimental: false, keep: true };
  }

  /** Stores what a model said of a track; the first model that a tenant uses becomes its active one. */
  async save(tenantId: TenantId, trackId: TrackId, entry: ModelEntry, heard: HeardTags): Promise<void> {
    await this.register(entry);
    if ((await this.versions.active(tenantId)) === undefined) await this.versions.promote(tenantId, entry);
    await this.store.save(tenantId, trackId, toStore(entry, heard));
  }

  /** What is said of a track: by the active model, else by the last that heard it; absent if none has. */
  async tagsOf(tenantId: TenantId, trackId: TrackId): Promise<StoredTagging | undefined> {
    const speaker = await this.store.speaker(tenantId, trackId, await this.versions.active(tenantId));
    return speaker && (await this.store.find(tenantId, trackId, speaker));
  }

  /**
   * Tags a file without keeping it, experimental tags left out.
   *
   * @throws {WorkerTaskError} with a `media.*` or `model.*` code
   */
  async tagFile(tenantId: TenantId, path: string, signal?: AbortSignal): Promise<TagResult> {
    const { folder } = await this.modelFor(tenantId);
    const choice = { modelFolder: folder, all: false, experimental: false };
    return (await this.parts.listener.tag(path, choice, { signal })).tags;
  }

  /** Checks that a model is at hand. @throws {ModelError} `model.not-found` */
  assertKnown(reference: string): void {
    this.parts.registry.find(reference);
  }

  /** Models at hand and models that have been used. */
  async models(tenantId: TenantId): Promise<ModelOverview> {
    const { registry } = this.parts;
    const [active, used] = await Promise.all([this.versions.active(tenantId), this.versions.used(tenantId)]);
    const tracksOf = (model: ModelRef): number => used.find((one) => sameModel(one, model))?.tracks ?? 0;
    const gone = used.filter((model) => !registry.entries.some((entry) => sameModel(entry, model)));
    const stateOf = (model: ModelRef, otherwise: 'available' | 'missing'): ModelVersion['state'] =>
      sameModel(active, model) ? 'active' : otherwise;
    return {
      versions: [
        ...registry.entries.map(({ id, version, manifest }) => ({
          id,
          version,
          state: stateOf({ id, version }, 'available'),
          tracks: tracksOf({ id, version }),
          about: describe(manifest),
        })),
        ...gone.map(({ id, version, tracks }) => ({
          id,
          version,
          state: stateOf({ id, version }, 'missing'),
          tracks,
        })),
      ],
      problems: registry.problems,
    };
  }

  /**
   * Makes a model the tenant's: its tags are shown, new recordings get it. Tracks that it has not heard keep what was
   * said of them.
   *
   * @throws {ModelError} `model.*` if it is neither at hand nor known from earlier, or is not what its manifest says
   */
  async promote(tenantId: TenantId, model: ModelRef): Promise<void> {
    const used = (await this.versions.used(tenantId)).find((one) => sameModel(one, model));
    if (used === undefined) {
      const entry = this.parts.registry.find(`${model.id}@${model.version}`);
      await this.#open(entry);
      await this.register(entry);
    }
    await this.versions.promote(tenantId, model);
  }

  /** Goes back to the model before; undefined (and no change) if there was none. */
  rollback(tenantId: TenantId): Promise<ModelRef | undefined> {
    return this.versions.rollback(tenantId);
  }

  /**
   * Tags every ready track with another model and makes it the active one. Tracks that it has heard already are only
   * compared, so that a run that broke off is simply repeated. A model with the same network as before needs no audio.
   *
   * @throws {ModelError} `model.*` if the model is not usable; nothing has been changed then
   */
  async retag(request: RetagRequest): Promise<RetagReport> {
    const entry = await findModel(this.parts.registry, request.model);
    const model = await this.#open(entry);
    if (request.dryRun !== true) await this.register(entry);
    const report = await retagCatalog(request, {
      ...this.parts,
      store: this.store,
      entry,
      model,
      active: await this.versions.active(request.tenantId),
    });
    if (!report.promoted) return report;
    await this.versions.promote(request.tenantId, entry);
    return report;
  }

  /** Remembers a model in the database, once. */
  async register(entry: ModelEntry): Promise<void> {
    const { id, version, manifest } = entry;
    const voice = voiceOf(manifest);
    if (this.#known.has(voice)) return;
    await this.versions.register({ id, version, sha256: manifest.sha256, voice, manifest });
    this.#known.add(voice);
  }

  /** Checks that a model is what its manifest says. */
  async #open({ folder }: ModelEntry): Promise<TaggerModel> {
    const session = await TaggingSession.open(folder);
    await session.close();
    return session.model;
  }
}

function describe({ parameters, bytes, tags }: ModelEntry['manifest']): NonNullable<ModelVersion['about']> {
  const measured = tags.flatMap(({ evaluation }) => (evaluation === undefined ? [] : [evaluation.rocAuc]));
  return {
    parameters,
    bytes,
    tags: tags.length,
    experimental: tags.filter(({ experimental }) => experimental).length,
    ...(measured.length > 0 && {
      macroRocAuc: Number((measured.reduce((sum, value) => sum + value, 0) / measured.length).toFixed(3)),
    }),
  };
}
