import { analysisVersion } from '@earmark/analysis';
import { ElasticsearchHeads, type ElasticsearchHeadsOptions } from '@earmark/fingerprint-index';
import type { TenantId, TrackId } from '@earmark/kernel';
import {
  type Database,
  PgFeedbackStore,
  PgTrackAudioStore,
  PgTransitionStore,
  PgWorkLock,
} from '@earmark/storage';
import {
  builtInModel,
  MemoryHeads,
  type TrackProfile,
  type TransitionEvent,
  type TransitionModel,
} from '@earmark/transition';
import type { Listener } from '../listener.js';
import { AudioPlaces } from './audio-places.js';
import { backfillProfiles, type BackfillReport, type BackfillRequest } from './backfill.js';
import { HeadIndexKeeper } from './head-index-keeper.js';
import { HeadSource } from './head-source.js';
import { NextTrack } from './next-track.js';
import { Previews } from './previews.js';
import { ProfileCache } from './profile-cache.js';
import { Sequences } from './sequences.js';
import { type Tail, TailSource } from './tail-source.js';
import { joinPair } from './join-pair.js';
import type {
  NextRequest,
  NextResult,
  PairScore,
  ScoreRequest,
  SequenceRequest,
  SequenceResult,
  TransitionFrom,
} from './transition-types.js';

/** What transitions are made of. */
export type TransitionParts = Readonly<{
  database: Database;
  listener: Listener;
  /** Folder that holds kept audio and previews. */
  dataDir: string;
  /** Whether recordings are analysed when they are taken in. */
  analyzeOnIngest: boolean;
  /** Whether the audio of uploads is kept. */
  keepAudio: boolean;
  /** Cluster that holds the index of entry points, under the name of this installation; absent: memory. */
  headCluster?: Omit<ElasticsearchHeadsOptions, 'model'>;
}>;

/** What was heard of a track that is taken in. */
export type HeardTrack = Readonly<{
  path: string;
  contentHash: string;
  /** Whether the file will go, so that a copy is needed. */
  keep: boolean;
  /** Absent: not analysed, or too long to be a track. */
  profile: TrackProfile | undefined;
}>;

/** Everything about what comes next, over one database. */
export class Transitions {
  readonly model: TransitionModel = builtInModel();
  readonly store: PgTransitionStore;
  readonly audio: AudioPlaces;
  readonly #parts: TransitionParts;
  readonly #feedback: PgFeedbackStore;
  readonly #keeper: HeadIndexKeeper;
  readonly #tails: TailSource;
  readonly #next: NextTrack;
  readonly #heads: HeadSource;
  readonly #sequences: Sequences;
  /** Rendered transitions. */
  readonly previews: Previews;

  constructor(parts: TransitionParts) {
    const { database, listener, dataDir } = parts;
    const { model } = this;
    const store = new PgTransitionStore(database);
    const profiles = new ProfileCache(store);
    const audio = new AudioPlaces(new PgTrackAudioStore(database.pool), dataDir);
    const headCluster = parts.headCluster;
    const lock = new PgWorkLock(database.pool);
    const keeper = new HeadIndexKeeper({
      store,
      profiles,
      ...(headCluster === undefined
        ? { heads: new MemoryHeads(model), exclusively: (work) => work().then(() => true) }
        : {
            heads: new ElasticsearchHeads({ ...headCluster, model }),
            exclusively: (work) => lock.tryRun('head-feed', work),
          }),
    });
    const tails = new TailSource({ store, profiles, listener, model, audio });
    const feedback = new PgFeedbackStore(database);
    const today = (): string => new Date().toISOString().slice(0, 10);
    this.#parts = parts;
    this.store = store;
    this.audio = audio;
    this.#feedback = feedback;
    this.#keeper = keeper;
    this.#tails = tails;
    const heads = new HeadSource({ store, profiles, listener, tails, model });
    this.#heads = heads;
    this.#sequences = new Sequences({ store, profiles, model });
    this.previews = new Previews({ tails, heads, audio, listener, model, dataDir });
    this.#next = new NextTrack({ store, feedback, profiles, keeper, tails, model, today });
  }

  /** Whether recordings are analysed when they are taken in. */
  get analyzeOnIngest(): boolean {
    return this.#parts.analyzeOnIngest;
  }

  /** Stores what was heard of a new track; it can be offered when this resolves. */
  async takeIn(tenantId: TenantId, trackId: TrackId, heard: HeardTrack): Promise<void> {
    const { path, contentHash, keep, profile } = heard;
    if (!keep) await this.audio.note(tenantId, trackId, path);
    else if (this.#parts.keepAudio) await this.audio.keep(tenantId, trackId, path, contentHash);
    if (profile !== undefined) await this.#save(tenantId, trackId, profile);
  }

  /** Does what a crash left undone: analyses a track that is ready but has no profile of the present versions. */
  async complete(tenantId: TenantId, trackId: TrackId, path: string, signal?: AbortSignal): Promise<void> {
    const { listener } = this.#parts;
    if (!this.analyzeOnIngest || (await this.store.isCurrent(tenantId, trackId, this.versions))) return;
    const profile = await listener.profile(path, { signal });
    if (profile !== undefined) await this.#save(tenantId, trackId, profile);
  }

  /** Analyses every track that was not, or by older versions. */
  backfill(request: BackfillRequest): Promise<BackfillReport> {
    const { store, audio, versions, model } = this;
    const { listener } = this.#parts;
    const save = this.#save.bind(this);
    return backfillProfiles({ store, audio, listener, versions, model, save }, request);
  }

  /** Versions of analysis and model that a stored profile must have. */
  get versions(): Readonly<{ analysisVersion: string; modelId: string }> {
    return { analysisVersion, modelId: this.model.id };
  }

  /** What may come next, best first; {@link TailSource.resolve} says what can go wrong. */
  next(request: NextRequest): Promise<NextResult> {
    return this.#next.find(request);
  }

  /** Judges and plans pairs, in their order; {@link TailSource.resolve} says what can go wrong. */
  async score({ tenantId, pairs, constraints = {}, signal }: ScoreRequest): Promise<readonly PairScore[]> {
    const tails = new Map<string, Promise<Tail>>();
    const tailOf = (from: TransitionFrom): Promise<Tail> => {
      const key = JSON.stringify(from);
      const tail = tails.get(key) ?? this.#tails.resolve(tenantId, from, constraints, signal);
      tails.set(key, tail);
      return tail;
    };
    return Promise.all(
      pairs.map(async ({ from, to }) => {
        const tail = await tailOf(from);
        const head = await this.#heads.resolve(tenantId, to, tail, constraints, signal);
        const joined = joinPair(this.model, tail, head, constraints, from.atMs);
        return { cueOutMs: joined.plan.cueOutMs, ...joined };
      }),
    );
  }

  /** Orders tracks; {@link Sequences.order} says what can go wrong. */
  sequence(request: SequenceRequest): Promise<SequenceResult> {
    return this.#sequences.order(request);
  }

  /**
   * Notes what listeners did.
   *
   * @throws {InvalidValueError} `catalog.no-such-track`
   */
  addFeedback(tenantId: TenantId, events: readonly TransitionEvent[]): Promise<void> {
    return this.#feedback.add(tenantId, events);
  }

  /** Reads the index of entry points of every tenant ahead of the first question. */
  warmUp(): Promise<void> {
    return this.#keeper.refresh();
  }

  /** Removes what the index of entry points keeps outside of the process. Close next. */
  removeIndex(): Promise<void> {
    return this.#keeper.remove();
  }

  /** Lets go of the index of entry points. */
  close(): Promise<void> {
    return this.#keeper.close();
  }

  async #save(tenantId: TenantId, trackId: TrackId, profile: TrackProfile): Promise<void> {
    await this.store.save(tenantId, trackId, this.#tails.coded(profile));
    this.#keeper.expire();
  }
}
