import type { Outbox, TrackPeaksStore } from '@earmark/catalog';
import {
  ElasticsearchCluster,
  type ElasticsearchOptions,
  type IndexBuild,
  IndexGoneError,
  type IndexHealth,
  IndexUnavailableError,
} from '@earmark/fingerprint-index';
import type { TrackId } from '@earmark/kernel';
import type { WorkLock } from '@earmark/storage';
import { setTimeout as sleep } from 'node:timers/promises';
import { IndexFeeder } from './index-feeder.js';
import { type IndexAccess, type IndexKeeper, IndexReadOnlyError } from './index-keeper.js';
import type { IndexPlace } from './search-task.js';
import { waitUntilLevel } from './wait-until-level.js';

/** What a keeper of an index in Elasticsearch works with. */
export type ElasticsearchKeeperParts = Readonly<{
  options: Omit<ElasticsearchOptions, 'chunks'>;
  access: IndexAccess;
  outbox: Outbox;
  peaks: TrackPeaksStore;
  lock: WorkLock;
}>;

const pollMs = 50;
const followMs = 1000;
/** After a failure the cluster is asked less often. */
const quietMs = 5000;
/** Looking things up, which needs chunks, is not the keeper's business. */
const noChunks = { chunksAt: () => Promise.resolve([]) };
/** Name of this index in the outbox's list of positions. */
const consumer = 'elasticsearch-index';

/**
 * The fingerprint index in a cluster that all processes of an installation share. Whoever commits a change applies the
 * outbox, one process at a time; what could not be applied while the cluster was away is applied when it is back.
 */
export class ElasticsearchKeeper implements IndexKeeper {
  readonly writes: boolean;
  readonly #parts: ElasticsearchKeeperParts;
  readonly #cluster: ElasticsearchCluster;
  readonly #feeder: IndexFeeder;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  #following: Promise<void> = Promise.resolve();

  private constructor(parts: ElasticsearchKeeperParts) {
    this.#parts = parts;
    this.writes = parts.access !== 'read';
    this.#cluster = new ElasticsearchCluster({ ...parts.options, chunks: noChunks });
    this.#feeder = new IndexFeeder(this.#cluster.index, parts.outbox, parts.peaks, consumer, true);
  }

  /**
   * Opens the index, makes it if there is none, and applies what the outbox holds. A cluster that cannot be reached is no
   * error here: lookups say so until it is back.
   */
  static async open(parts: ElasticsearchKeeperParts): Promise<ElasticsearchKeeper> {
    const keeper = new ElasticsearchKeeper(parts);
    try {
      await keeper.#cluster.ensure();
      if (keeper.writes) await keeper.#apply();
    } catch (error) {
      if (!(error instanceof IndexUnavailableError)) {
        await keeper.close();
        throw error;
      }
    }
    if (keeper.writes) keeper.#followAfter(followMs);
    return keeper;
  }

  /** {@inheritDoc IndexKeeper.catchUp} */
  async catchUp(signal?: AbortSignal): Promise<void> {
    const target = await this.#parts.outbox.head();
    await waitUntilLevel(async () => {
      if (this.writes) await this.#apply();
      return (await this.#applied()) >= target;
    }, signal);
  }

  get place(): IndexPlace {
    return { kind: 'elasticsearch', options: this.#parts.options };
  }

  async health(): Promise<IndexHealth> {
    const health = await this.#cluster.index.health();
    if (health.status === 'down') return health;
    const [head, applied] = await Promise.all([
      this.#parts.outbox.head(),
      this.#applied().catch(() => undefined),
    ]);
    if (applied === undefined) return health;
    return { ...health, details: { ...health.details, appliedSequence: applied, outboxHead: head } };
  }

  /**
   * Builds the index anew beside the one that serves, which answers and takes changes all the time; then the new one
   * takes its place in one step.
   *
   * @throws {IndexReadOnlyError} if this process only reads, or another one is rebuilding
   */
  async rebuild(onTrack: (trackId: TrackId) => void, signal?: AbortSignal): Promise<number> {
    if (!this.writes) throw new IndexReadOnlyError('this process only reads the index');
    let tracks = 0;
    const ran = await this.#parts.lock.tryRun('index-build', async () => {
      const build = await this.#cluster.build();
      try {
        tracks = await this.#fill(build, onTrack, signal);
      } catch (error) {
        await build.abandon().catch(() => undefined); // the next build removes what is left
        throw error;
      }
    });
    if (!ran) throw new IndexReadOnlyError('another process is rebuilding the index');
    return tracks;
  }

  async remove(): Promise<void> {
    await this.#stopFollowing();
    await this.#cluster.remove();
  }

  async close(): Promise<void> {
    await this.#stopFollowing();
    await this.#feeder.settled();
    await this.#cluster.close();
  }

  async #stopFollowing(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#following;
  }

  async #fill(
    build: IndexBuild,
    onTrack: (trackId: TrackId) => void,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    const { outbox, peaks, lock } = this.#parts;
    const head = await outbox.head();
    if (head > 0) await build.index.add([], { sequence: head });
    const feeder = new IndexFeeder(build.index, outbox, peaks, `${consumer}-build`, true);
    const tracks = await feeder.fill(onTrack, signal);
    await build.settle();
    const publish = async (): Promise<void> => {
      await feeder.apply();
      await build.publish();
    };
    // Nobody applies changes to the old version between the last look at the outbox and the change of place.
    while (!(await lock.tryRun('index-feed', publish))) await sleep(pollMs);
    return tracks;
  }

  /** Applies the outbox unless another process is at it. */
  async #apply(): Promise<void> {
    await this.#parts.lock.tryRun('index-feed', async () => {
      try {
        await this.#feeder.apply();
      } catch (error) {
        if (!(error instanceof IndexGoneError)) throw error;
        await this.#cluster.ensure();
        await this.#feeder.apply();
      }
    });
  }

  async #applied(): Promise<number> {
    try {
      return await this.#cluster.index.appliedSequence();
    } catch (error) {
      if (error instanceof IndexGoneError) return 0;
      throw error;
    }
  }

  /** Looks again and again whether there is something to apply: changes of others, or a cluster that is back. */
  #followAfter(delayMs: number): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#following = this.#follow().then(
        () => this.#followAfter(followMs),
        () => this.#followAfter(quietMs), // met again by whoever waits for the change
      );
    }, delayMs).unref();
  }

  async #follow(): Promise<void> {
    if ((await this.#applied()) < (await this.#parts.outbox.head())) await this.#apply();
  }
}
