import { analysisVersion } from '@earmark/analysis';
import type { TenantId, TrackId } from '@earmark/kernel';
import { PgFeedbackStore, type PgTransitionStore } from '@earmark/storage';
import type { TrackProfile, TransitionEvent, TransitionModel } from '@earmark/transition';
import type { Listener } from '../listener.js';
import type { AudioPlaces } from './audio-places.js';
import { backfillProfiles, type BackfillReport, type BackfillRequest } from './backfill.js';
import { Previews } from './previews.js';
import { type AnswerParts, TransitionAnswers } from './transition-answers.js';
import type { NextRequest, NextResult } from './transition-types.js';

/** What transitions are made of. */
export type TransitionParts = AnswerParts &
  Readonly<{
    listener: Listener;
    /** Whether recordings are analysed when they are taken in. */
    analyzeOnIngest: boolean;
    /** Whether the audio of uploads is kept. */
    keepAudio: boolean;
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
  /** Rendered transitions. */
  readonly previews: Previews;
  readonly #parts: TransitionParts;
  readonly #answers: TransitionAnswers;
  readonly #feedback: PgFeedbackStore;
  #changes = 0;

  constructor(parts: TransitionParts) {
    const { database, listener, dataDir } = parts;
    const answers = new TransitionAnswers(parts);
    const { tails, heads, audio, model } = answers;
    this.#parts = parts;
    this.#answers = answers;
    this.#feedback = new PgFeedbackStore(database);
    this.previews = new Previews({ tails, heads, audio, listener, model, dataDir });
  }

  get model(): TransitionModel {
    return this.#answers.model;
  }

  get store(): PgTransitionStore {
    return this.#answers.store;
  }

  get audio(): AudioPlaces {
    return this.#answers.audio;
  }

  /** Grows with every track that this process stored: whoever answers elsewhere has to look again. */
  get changes(): number {
    return this.#changes;
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
    return this.#answers.next(request);
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
    return this.#answers.warmUp();
  }

  /** Removes what the index of entry points keeps outside of the process. Close next. */
  removeIndex(): Promise<void> {
    return this.#answers.removeIndex();
  }

  /** Lets go of the index of entry points. */
  close(): Promise<void> {
    return this.#answers.close();
  }

  async #save(tenantId: TenantId, trackId: TrackId, profile: TrackProfile): Promise<void> {
    await this.store.save(tenantId, trackId, this.#answers.tails.coded(profile));
    this.#answers.expire();
    this.#changes++;
  }
}
