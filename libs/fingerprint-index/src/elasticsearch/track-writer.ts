import type { Client } from '@elastic/elasticsearch';
import type { TrackId } from '@earmark/kernel';
import type { IndexChunk } from '../port.js';
import { deleteAction, indexAction, writeBulk, type BulkAction, type BulkTarget } from './bulk-writer.js';
import { distinctKeys, termsOf } from './chunk-terms.js';
import { persistently, type RetryPolicy } from './connection.js';
import { documentId, stateId } from './index-names.js';

/** A change of one track: its chunks from now on, none when it is removed. */
export type TrackChange = Readonly<{ trackId: TrackId; chunks: readonly IndexChunk[]; version: number }>;

/** Writes changes of tracks to one index. Every step can be repeated, and an older change never undoes a newer one. */
export class TrackWriter {
  private readonly client: Client;
  private readonly target: BulkTarget;
  private readonly retry: RetryPolicy;

  constructor(client: Client, target: BulkTarget, retry: RetryPolicy) {
    this.client = client;
    this.target = target;
    this.retry = retry;
  }

  /** Stores changes, at most one a track; they are safe but perhaps not yet found when the promise resolves. */
  async write(changes: readonly TrackChange[]): Promise<void> {
    const before = await this.chunkCounts(changes.map(({ trackId }) => trackId));
    const actions = changes.flatMap((change, i) => actionsOf(change, before[i]));
    await writeBulk(this.client, this.target, actions, this.retry);
  }

  /** Makes everything written so far findable. */
  async refresh(): Promise<void> {
    await persistently(this.retry, () => this.client.indices.refresh({ index: this.target.name }));
  }

  /** Remembers how far the outbox was applied. */
  async remember(sequence: number): Promise<void> {
    const state = indexAction(stateId, stateId, sequence, JSON.stringify({ sequence }));
    await writeBulk(this.client, this.target, [state], this.retry);
  }

  /** How far the outbox was applied, 0 at first. */
  async remembered(): Promise<number> {
    const [state] = await this.sources<{ sequence: number }>([[stateId, stateId]]);
    return state?.sequence ?? 0;
  }

  /** Chunks that are stored of each track, as the last write left them, refreshed or not. */
  private async chunkCounts(trackIds: readonly TrackId[]): Promise<readonly number[]> {
    const firsts = await this.sources<{ chunks: number }>(trackIds.map((id) => [documentId(id, 0), id]));
    return firsts.map((first) => first?.chunks ?? 0);
  }

  private async sources<T>(
    documents: readonly (readonly [id: string, routing: string])[],
  ): Promise<readonly (T | undefined)[]> {
    if (documents.length === 0) return [];
    const docs = documents.map(([_id, routing]) => ({ _id, routing, _source: ['chunks', 'sequence'] }));
    const { docs: found } = await persistently(this.retry, () =>
      this.client.mget<T>({ index: this.target.name, docs }),
    );
    return found.map((document) => ('_source' in document ? document._source : undefined));
  }
}

/**
 * Surplus chunks are deleted first and the first chunk, which carries the number of chunks, is deleted last: wherever a
 * write breaks off, the next one knows of every document that may be there. One track lies in one shard, which takes
 * the actions in order.
 */
function actionsOf({ trackId, chunks, version }: TrackChange, before: number): BulkAction[] {
  const actions: BulkAction[] = [];
  for (let chunk = before - 1; chunk >= chunks.length; chunk--) {
    actions.push(deleteAction(documentId(trackId, chunk), trackId, version));
  }
  for (const [position, chunk] of chunks.entries()) {
    const source = sourceOf(chunk, chunks.length);
    actions.push(indexAction(documentId(trackId, position), trackId, version, source));
  }
  return actions;
}

function sourceOf({ tenantId, catalogId, trackId, chunk, landmarks }: IndexChunk, chunks: number): string {
  const about = { tenant: tenantId, catalog: catalogId, track: trackId, chunk, chunks };
  const body = {
    ...about,
    landmarks: landmarks.hashes.length,
    hashes: termsOf(distinctKeys(landmarks.hashes)),
  };
  return JSON.stringify(body);
}
