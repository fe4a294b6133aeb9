import { ElasticsearchHeads, type ElasticsearchHeadsOptions } from '@earmark/fingerprint-index';
import {
  type Database,
  PgFeedbackStore,
  PgTrackAudioStore,
  PgTransitionStore,
  PgWorkLock,
} from '@earmark/storage';
import { builtInModel, MemoryHeads, type TransitionModel } from '@earmark/transition';
import type { Listener } from '../listener.js';
import { AudioPlaces } from './audio-places.js';
import { HeadIndexKeeper } from './head-index-keeper.js';
import { HeadSource } from './head-source.js';
import { joinPair } from './join-pair.js';
import { NextTrack } from './next-track.js';
import { noProfiles, ProfileCache, type ProfileCacheSizes } from './profile-cache.js';
import { Sequences } from './sequences.js';
import { type Tail, TailSource } from './tail-source.js';
import type {
  NextRequest,
  NextResult,
  PairScore,
  ScoreRequest,
  SequenceRequest,
  SequenceResult,
  TransitionFrom,
} from './transition-types.js';

/** Index of entry points in a cluster, under the name of this installation. */
export type HeadCluster = Omit<ElasticsearchHeadsOptions, 'model'>;

/** What answers about transitions are made from. */
export type AnswerParts = Readonly<{
  database: Database;
  /** Hears places of files that are not stored. */
  listener: Pick<Listener, 'profile' | 'windows'>;
  /** Folder that holds kept audio. */
  dataDir: string;
  /** Cluster that holds the index of entry points; absent: memory. */
  headCluster?: HeadCluster;
  /** What is kept in memory, for questions without end; default nothing. */
  kept?: ProfileCacheSizes;
}>;

/** Answers what fits next, how given pairs fit, and in which order a set fits best, over one database. */
export class TransitionAnswers {
  readonly model: TransitionModel = builtInModel();
  readonly store: PgTransitionStore;
  readonly audio: AudioPlaces;
  readonly tails: TailSource;
  readonly heads: HeadSource;
  readonly #keeper: HeadIndexKeeper;
  readonly #next: NextTrack;
  readonly #sequences: Sequences;

  constructor({ database, listener, dataDir, headCluster, kept = noProfiles }: AnswerParts) {
    const { model } = this;
    const store = new PgTransitionStore(database);
    const feedback = new PgFeedbackStore(database);
    const profiles = new ProfileCache(store, kept);
    const audio = new AudioPlaces(new PgTrackAudioStore(database.pool), dataDir);
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
    const today = (): string => new Date().toISOString().slice(0, 10);
    this.store = store;
    this.audio = audio;
    this.tails = tails;
    this.heads = new HeadSource({ store, profiles, listener, tails, model });
    this.#keeper = keeper;
    this.#sequences = new Sequences({ store, profiles, model });
    this.#next = new NextTrack({ store, feedback, profiles, keeper, tails, model, today });
  }

  /** What may come next, best first; {@link TailSource.resolve} says what can go wrong. */
  next(request: NextRequest): Promise<NextResult> {
    return this.#next.find(request);
  }

  /** Judges and plans pairs, in their order; {@link TailSource.resolve} says what can go wrong. */
  async score({ tenantId, pairs, constraints = {}, signal }: ScoreRequest): Promise<readonly PairScore[]> {
    await this.#keeper.freshen();
    const tails = new Map<string, Promise<Tail>>();
    const tailOf = (from: TransitionFrom): Promise<Tail> => {
      const key = JSON.stringify(from);
      const tail = tails.get(key) ?? this.tails.resolve(tenantId, from, constraints, signal);
      tails.set(key, tail);
      return tail;
    };
    return Promise.all(
      pairs.map(async ({ from, to }) => {
        const tail = await tailOf(from);
        const head = await this.heads.resolve(tenantId, to, tail, constraints, signal);
        const joined = joinPair(this.model, tail, head, constraints, from.atMs);
        return { cueOutMs: joined.plan.cueOutMs, ...joined };
      }),
    );
  }

  /** Orders tracks; {@link Sequences.order} says what can go wrong. */
  async sequence(request: SequenceRequest): Promise<SequenceResult> {
    await this.#keeper.freshen();
    return this.#sequences.order(request);
  }

  /** Reads the index of entry points of every tenant ahead of the first question. */
  warmUp(): Promise<void> {
    return this.#keeper.refresh();
  }

  /** Makes the next question see what was stored before this was called. */
  expire(): void {
    this.#keeper.expire();
  }

  /** Removes what the index of entry points keeps outside of the process. Close next. */
  removeIndex(): Promise<void> {
    return this.#keeper.remove();
  }

  /** Lets go of the index of entry points. */
  close(): Promise<void> {
    return this.#keeper.close();
  }
}
