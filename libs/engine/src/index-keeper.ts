import type { Outbox, TrackPeaksStore } from '@earmark/catalog';
import {
  type EmbeddedIndex,
  type IndexHealth,
  IndexLockedError,
  IndexStateError,
  openEmbeddedIndex,
} from '@earmark/fingerprint-index';
import { DomainError, type TrackId } from '@earmark/kernel';
import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { IndexFeeder } from './index-feeder.js';
import { fingerprintConfigId } from './listener.js';
import type { IndexPlace } from './search-task.js';
import { waitUntilLevel } from './wait-until-level.js';

/**
 * What a process does with the index: `write` must be its one writer, `read` only looks things up, `share` writes when
 * nobody else does and takes over when the writer ends.
 */
export type IndexAccess = 'read' | 'write' | 'share';

/** The fingerprint index of an installation, kept level with the outbox of its database. */
export interface IndexKeeper {
  /** Whether this process applies changes to the index. */
  readonly writes: boolean;
  /**
   * Resolves when every change committed so far can be found.
   *
   * @throws {IndexStalledError} if nobody applied the changes within two minutes
   */
  catchUp(signal?: AbortSignal): Promise<void>;
  /** How threads open it to look things up. */
  readonly place: IndexPlace;
  /** Size and state of the index. */
  health(): Promise<IndexHealth>;
  /**
   * Derives the index again from the stored peaks.
   *
   * @returns number of tracks
   * @throws {IndexReadOnlyError} if this process may not write
   */
  rebuild(onTrack: (trackId: TrackId) => void, signal?: AbortSignal): Promise<number>;
  /** Removes what lies outside the data folder, when the installation ends. */
  remove(): Promise<void>;
  close(): Promise<void>;
}

/** A change asked of a process that only reads the index. */
export class IndexReadOnlyError extends DomainError {
  readonly code = 'index.read-only';
}

const pollMs = 50;
const followMs = 250;
/** Name of the embedded index in the outbox's list of positions. */
const consumer = 'embedded-index';

/** The embedded index of a data folder, opened as writer or reader, and kept level with the outbox. */
export class EmbeddedIndexKeeper implements IndexKeeper {
  #index: EmbeddedIndex;
  #feeder: IndexFeeder | undefined;
  #following: NodeJS.Timeout | undefined;

  private constructor(
    private readonly directory: string,
    private readonly access: IndexAccess,
    private readonly outbox: Outbox,
    private readonly peaks: TrackPeaksStore,
    opened: { index: EmbeddedIndex; writes: boolean },
  ) {
    this.#index = opened.index;
    this.#feeder = opened.writes ? this.#makeFeeder(opened.index) : undefined;
  }

  /**
   * Opens the index; a writer first applies what the outbox holds.
   *
   * @throws {IndexLockedError} `index.locked` if access is `write` and another process writes
   */
  static async open(
    directory: string,
    access: IndexAccess,
    outbox: Outbox,
    peaks: TrackPeaksStore,
  ): Promise<EmbeddedIndexKeeper> {
    const keeper = new EmbeddedIndexKeeper(directory, access, outbox, peaks, await openAs(directory, access));
    await keeper.#feeder?.apply();
    if (access === 'share') keeper.#follow();
    return keeper;
  }

  /** Whether this process is the index's writer. */
  get writes(): boolean {
    return this.#feeder !== undefined;
  }

  /**
   * Resolves when every change committed so far can be found: a writer applies the outbox, others wait for the writer,
   * and with `share` become it when there is none.
   *
   * @throws {IndexStalledError} if nobody applied the changes within two minutes
   */
  async catchUp(signal?: AbortSignal): Promise<void> {
    if (this.#feeder !== undefined) return this.#feeder.apply();
    const target = await this.outbox.head();
    await waitUntilLevel(async () => {
      if ((await this.outbox.position(consumer)) >= target) return true;
      if (this.access !== 'share' || !(await this.#takeOver())) return false;
      await this.#feeder?.apply();
      return true;
    }, signal);
  }

  get place(): IndexPlace {
    return { kind: 'embedded', directory: this.directory, configId: fingerprintConfigId };
  }

  /** Size and state of the index. */
  health(): Promise<IndexHealth> {
    return this.#index.health();
  }

  /**
   * Empties the index and derives it again from the stored peaks, in as few segments as can be, since a question looks
   * every hash up in each; lookups meanwhile find what is done so far.
   *
   * @returns number of tracks
   * @throws {IndexReadOnlyError} if another process is the writer
   */
  async rebuild(onTrack: (trackId: TrackId) => void, signal?: AbortSignal): Promise<number> {
    if (this.#feeder === undefined)
      throw new IndexReadOnlyError('only the writer of the index can rebuild it');
    await this.#index.close();
    await rm(this.directory, { recursive: true, force: true });
    const { index } = await openAs(this.directory, 'write');
    this.#index = index;
    this.#feeder = this.#makeFeeder(index);
    const tracks = await this.#feeder.fill(onTrack, signal);
    await index.compact();
    return tracks;
  }

  /** {@inheritDoc IndexKeeper.remove} Here that is nothing. */
  remove(): Promise<void> {
    return Promise.resolve();
  }

  async close(): Promise<void> {
    clearInterval(this.#following);
    await this.#feeder?.settled();
    await this.#index.close();
  }

  /** Applies what other processes commit, as long as this one is the writer. */
  #follow(): void {
    this.#following = setInterval(() => {
      this.#feeder?.apply().catch(() => undefined); // met again by whoever waits for the change
    }, followMs).unref();
  }

  #makeFeeder(index: EmbeddedIndex): IndexFeeder {
    return new IndexFeeder(index, this.outbox, this.peaks, consumer);
  }

  async #takeOver(): Promise<boolean> {
    const opened = await openAs(this.directory, 'share');
    if (!opened.writes) {
      await opened.index.close();
      return false;
    }
    const reader = this.#index;
    this.#index = opened.index;
    this.#feeder = this.#makeFeeder(opened.index);
    await reader.close();
    return true;
  }
}

async function openAs(
  directory: string,
  access: IndexAccess,
): Promise<{ index: EmbeddedIndex; writes: boolean }> {
  const configId = fingerprintConfigId;
  if (access !== 'read') {
    try {
      return { index: await openEmbeddedIndex({ directory, configId, mode: 'write' }), writes: true };
    } catch (error) {
      if (access === 'write' || !(error instanceof IndexLockedError)) throw error;
    }
  }
  await makeIfAbsent(directory, configId);
  return { index: await openEmbeddedIndex({ directory, configId, mode: 'read' }), writes: false };
}

/** A reader that comes before the first writer meets an empty index. */
async function makeIfAbsent(directory: string, configId: string): Promise<void> {
  for (;;) {
    try {
      await (await openEmbeddedIndex({ directory, configId, mode: 'read' })).close();
      return;
    } catch (error) {
      if (!(error instanceof IndexStateError)) throw error;
    }
    try {
      await (await openEmbeddedIndex({ directory, configId, mode: 'write' })).close();
    } catch (error) {
      if (!(error instanceof IndexLockedError)) throw error;
      await sleep(pollMs); // the writer is about to make it
    }
  }
}
