import type { Client } from '@elastic/elasticsearch';
import type { DomainError } from '@earmark/kernel';
import { type TrackId } from '@earmark/kernel';
import { groupByTrack } from '../embedded/delta.js';
import { IndexInputError, IndexStateError } from '../errors.js';
import type {
  FingerprintIndex,
  IndexCandidate,
  IndexChunk,
  IndexHealth,
  IndexQuery,
  WriteOptions,
} from '../port.js';
import { alignChunks, type ChunkSource } from './chunk-alignment.js';
import { ChunkSearch, type SearchDepth } from './chunk-search.js';
import type { RetryPolicy } from './connection.js';
import { indexError } from './errors.js';
import { healthOf } from './index-health.js';
import { TrackWriter, type TrackChange } from './track-writer.js';

/** What an {@link ElasticsearchIndex} works with. */
export type ElasticsearchIndexParts = Readonly<{
  client: Client;
  /** Alias, or name of a version that is being built. */
  name: string;
  isAlias: boolean;
  /** Whether writes are found as soon as they are acknowledged; a version that is being built is refreshed at its end. */
  refreshes: boolean;
  chunks: ChunkSource;
  retry: RetryPolicy;
  depth: SearchDepth;
}>;

type Write = Readonly<{
  changes: readonly (readonly [TrackId, readonly IndexChunk[]])[];
  sequence: number | undefined;
  resolve: () => void;
  reject: (error: unknown) => void;
}>;

/** Tracks that are written together; about 25 MB of landmarks. */
const groupTracks = 64;

/** A fingerprint index in Elasticsearch. Any number of processes may read and write it. */
export class ElasticsearchIndex implements FingerprintIndex {
  private readonly parts: ElasticsearchIndexParts;
  private readonly writer: TrackWriter;
  private readonly search: ChunkSearch;
  private waiting: Write[] = [];
  private working: Promise<void> | undefined;
  /** What the index is known to have applied; undefined until it was asked. */
  private applied: number | undefined;
  private closed = false;

  constructor(parts: ElasticsearchIndexParts) {
    this.parts = parts;
    this.writer = new TrackWriter(parts.client, { name: parts.name, isAlias: parts.isAlias }, parts.retry);
    this.search = new ChunkSearch(parts.client, parts.name, parts.depth);
  }

  /** {@inheritDoc FingerprintIndex.add} A reader that asks while a track is replaced may meet parts of both. */
  async add(chunks: readonly IndexChunk[], options: WriteOptions = {}): Promise<void> {
    const tracks = groupByTrack(chunks);
    if (tracks.length === 0 && options.sequence === undefined) return this.open();
    const changes = tracks.map(({ chunks: own }) => [own[0].trackId, own] as const);
    for (const [trackId, own] of changes) {
      const gap = own.findIndex(({ chunk }, position) => chunk !== position);
      if (gap >= 0) throw new IndexInputError(trackId, own[gap].chunk, 'chunks are not numbered from 0 on');
    }
    await this.enqueue(changes, options);
  }

  async remove(trackId: TrackId, options: WriteOptions = {}): Promise<void> {
    await this.enqueue([[trackId, []]], options);
  }

  async candidates(query: IndexQuery, k: number): Promise<readonly IndexCandidate[]> {
    this.open();
    if (query.catalogIds?.length === 0 || query.landmarks.hashes.length === 0) return [];
    const found = await this.search.find(query, k);
    return alignChunks(query, found, this.parts.chunks, k);
  }

  /** {@inheritDoc FingerprintIndex.appliedSequence} Asks the cluster: another process may have written. */
  async appliedSequence(): Promise<number> {
    this.open();
    this.applied = await this.writer.remembered();
    return this.applied;
  }

  health(): Promise<IndexHealth> {
    if (this.closed) {
      return Promise.resolve({ status: 'down', tracks: 0, chunks: 0, landmarks: 0, bytes: 0, details: {} });
    }
    return healthOf(this.parts.client, this.parts.name);
  }

  /** Waits for writes under way. */
  async close(): Promise<void> {
    this.closed = true;
    while (this.working) await this.working;
  }

  private open(): void {
    if (this.closed) throw new IndexStateError('the index is closed');
  }

  private enqueue(changes: Write['changes'], { sequence }: WriteOptions): Promise<void> {
    this.open();
    return new Promise((resolve, reject) => {
      this.waiting.push({ changes, sequence, resolve, reject });
      this.working ??= this.work().finally(() => (this.working = undefined));
    });
  }

  /** Writes what waits, group by group. After a failure everything behind it fails too, so that no gap is remembered. */
  private async work(): Promise<void> {
    while (this.waiting.length > 0) {
      const group = this.nextGroup();
      try {
        await this.writeGroup(group);
        for (const { resolve } of group) resolve();
      } catch (error) {
        this.applied = undefined;
        const known: DomainError = indexError(error);
        for (const { reject } of [...group, ...this.waiting.splice(0)]) reject(known);
      }
    }
  }

  private nextGroup(): Write[] {
    let tracks = 0;
    let count = 0;
    while (
      count < this.waiting.length &&
      (count === 0 || tracks + this.waiting[count].changes.length <= groupTracks)
    ) {
      tracks += this.waiting[count++].changes.length;
    }
    return this.waiting.splice(0, count);
  }

  private async writeGroup(group: readonly Write[]): Promise<void> {
    const applied = (this.applied ??= await this.writer.remembered());
    let reached = applied;
    const last = new Map<TrackId, TrackChange>();
    for (const { changes, sequence } of group) {
      if (sequence !== undefined && sequence <= reached) continue;
      reached = sequence ?? reached;
      // A change outside the outbox is as new as what was applied; 0 is no version.
      for (const [trackId, chunks] of changes)
        last.set(trackId, { trackId, chunks, version: Math.max(1, reached) });
    }
    if (last.size > 0) {
      await this.writer.write([...last.values()]);
      if (this.parts.refreshes) await this.writer.refresh();
    }
    if (reached > applied) await this.writer.remember(reached);
    this.applied = reached;
  }
}
