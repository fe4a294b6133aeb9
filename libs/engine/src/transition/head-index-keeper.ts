import { IndexGoneError } from '@earmark/fingerprint-index';
import type { HeadHit, HeadSearch, TransitionStore } from '@earmark/transition';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProfileCache } from './profile-cache.js';

const batchTracks = 500;
/** How old the index may be when it is asked. */
const freshMs = 100;
const pollMs = 20;

/** What a keeper of an index of entry points works with. */
export type HeadIndexParts = Readonly<{
  store: TransitionStore;
  heads: HeadSearch;
  /** What it keeps of tracks that any process changed is forgotten. */
  profiles: ProfileCache;
  /** Does work that changes the index unless another process of the installation is at it; false: it is. */
  exclusively: (work: () => Promise<void>) => Promise<boolean>;
}>;

/**
 * Keeps an index of entry points level with the database by the log of changes: from its beginning when the index is new,
 * then by what any process changed since.
 */
export class HeadIndexKeeper {
  readonly #parts: HeadIndexParts;
  /** How far this process has followed the log. */
  #seen: number | undefined;
  #refreshedMs = -Infinity;
  #running: Promise<void> | undefined;

  constructor(parts: HeadIndexParts) {
    this.#parts = parts;
  }

  /** Sees to it that the index is at most a tenth of a second behind what was committed when this was called. */
  async freshen(): Promise<void> {
    if (performance.now() - this.#refreshedMs > freshMs) await this.refresh();
  }

  /** {@link HeadSearch.search} in the index as it is; one that was lost is filled again first. */
  async search(...question: Parameters<HeadSearch['search']>): Promise<readonly HeadHit[]> {
    const { heads } = this.#parts;
    try {
      return await heads.search(...question);
    } catch (error) {
      if (!(error instanceof IndexGoneError)) throw error;
      await this.refresh();
      return heads.search(...question);
    }
  }

  /** Makes the next question see a change of this process. */
  expire(): void {
    this.#refreshedMs = -Infinity;
  }

  /** Applies everything that was committed when this was called. */
  async refresh(): Promise<void> {
    // A run that has begun may have read before the change of the caller.
    await this.#running;
    this.#running ??= this.#level().finally(() => (this.#running = undefined));
    return this.#running;
  }

  /** Removes what the index keeps outside of the process. */
  remove(): Promise<void> {
    return this.#parts.heads.remove();
  }

  /** Waits for what is under way and lets go of the index. */
  async close(): Promise<void> {
    await this.#running?.catch(() => undefined);
    await this.#parts.heads.close();
  }

  async #level(): Promise<void> {
    const { store, heads, profiles, exclusively } = this.#parts;
    const startedMs = performance.now();
    for (;;) {
      const applied = await heads.appliedSequence();
      if (this.#seen === undefined) {
        // What others applied before is not looked at again.
        profiles.clear();
        this.#seen = applied;
      }
      const [next] = await store.changes(Math.min(this.#seen, applied), 1);
      if (next === undefined) break;
      if (!(await exclusively(() => this.#feed()))) await sleep(pollMs);
    }
    this.#refreshedMs = startedMs;
  }

  async #feed(): Promise<void> {
    const { store, heads, profiles } = this.#parts;
    for (;;) {
      const applied = await heads.appliedSequence();
      const seen = this.#seen ?? applied;
      const changes = await store.changes(Math.min(seen, applied), batchTracks);
      const last = changes.at(-1);
      if (last === undefined) return;
      for (const change of changes) profiles.apply(change);
      const newer = changes.filter(({ sequence }) => sequence > applied);
      if (newer.length > 0) await heads.apply(newer, applied);
      this.#seen = Math.max(seen, last.sequence);
    }
  }
}
