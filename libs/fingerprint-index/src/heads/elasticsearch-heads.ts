import type { Client } from '@elastic/elasticsearch';
import type { TenantId, TrackId } from '@earmark/kernel';
import type { HeadChange, HeadFilter, HeadHit, HeadSearch } from '@earmark/transition';
import { indexAction, writeBulk } from '../elasticsearch/bulk-writer.js';
import {
  defaultRetry,
  openClient,
  persistently,
  prompt,
  type ElasticsearchConnection,
  type RetryPolicy,
} from '../elasticsearch/connection.js';
import {
  IndexGoneError,
  IndexUnavailableError,
  indexError,
  isAlreadyThere,
} from '../elasticsearch/errors.js';
import { documentId, stateId } from '../elasticsearch/index-names.js';
import {
  headActions,
  headIndexBody,
  headIndexNames,
  headVersion,
  headVersionName,
  type HeadIndexNames,
  type HeadModel,
} from './head-documents.js';
import { bestOfTracks, headHit, headQueries, type HeadSource } from './head-query.js';

/** How an index of entry points in Elasticsearch is opened. */
export type ElasticsearchHeadsOptions = Readonly<{
  connection: ElasticsearchConnection;
  /** Name that keeps several installations in one cluster apart: lower-case letters, digits, `-` and `_`. */
  installation: string;
  model: HeadModel;
  /** Shards of an index that is made from now on; default 3. */
  shards?: number;
  /** Replicas, as `MIN-MAX` by the number of nodes; default `0-1`. */
  replicas?: string;
  retry?: RetryPolicy;
}>;

/** Heads asked for at first for each track wanted. */
const headsPerTrack = 4;
/** Most that a node collects for one query. */
const mostHeads = 10_000;
const leastCandidates = 400;
/** Heads that are looked at in full for each one asked for. */
const oversample = 2;
/** Ids in one question; the cluster takes 65,536. */
const mostNamed = 20_000;

/** Entry points in a cluster that all processes of an installation share, searched through a graph a shard. */
export class ElasticsearchHeads implements HeadSearch {
  private readonly client: Client;
  private readonly names: HeadIndexNames;
  private readonly options: ElasticsearchHeadsOptions;
  private readonly retry: RetryPolicy;

  /** Opens nothing yet: the cluster may be out of reach for now. */
  constructor(options: ElasticsearchHeadsOptions) {
    this.options = options;
    this.names = headIndexNames(options.installation, options.model.id);
    this.retry = options.retry ?? defaultRetry;
    this.client = openClient(options.connection);
  }

  /**
   * How far the log was applied. An index that is missing is made, and those of earlier models are removed with it: a
   * process of an earlier version makes its own again, and the two do not take turns in removing each other's.
   *
   * @throws {IndexUnavailableError} when the cluster cannot be reached
   */
  async appliedSequence(): Promise<number> {
    try {
      return await this.remembered();
    } catch (error) {
      if (!(error instanceof IndexGoneError)) throw error;
      await this.make();
      return this.remembered();
    }
  }

  /**
   * {@inheritDoc HeadSearch.apply}
   *
   * @throws {IndexGoneError} when the index was lost, or made anew by another process, since `after` was read
   */
  async apply(changes: readonly HeadChange[], after: number): Promise<void> {
    const last = changes.at(-1);
    if (last === undefined) return;
    const before = await this.counts(changes.map(({ trackId }) => trackId));
    const actions = changes.flatMap((change, i) => headActions(change, this.options.model, before[i]));
    await this.write(actions);
    await persistently(this.retry, () => this.client.indices.refresh({ index: this.names.alias }));
    // An index that was made anew meanwhile lacks what came before these changes.
    if ((await this.remembered()) < after)
      throw new IndexGoneError('the index of entry points was made anew');
    const { sequence } = last;
    await this.write([indexAction(stateId, stateId, sequence, JSON.stringify({ sequence }))]);
  }

  async search(
    tenantId: TenantId,
    tail: Float32Array,
    k: number,
    filter: HeadFilter = {},
  ): Promise<readonly HeadHit[]> {
    const { only } = filter;
    if (only === undefined) return this.nearest(tenantId, tail, k, filter);
    const found: HeadHit[] = [];
    for (let from = 0; from < only.length; from += mostNamed) {
      const some = { ...filter, only: only.slice(from, from + mostNamed) };
      found.push(...(await this.nearest(tenantId, tail, k, some)));
    }
    return bestOfTracks(found, k);
  }

  async remove(): Promise<void> {
    await this.delete(await this.indexesLike(this.names.all));
  }

  async close(): Promise<void> {
    await this.client.close();
  }

  /** The best tracks, from more and more heads, since several may be of one track. */
  private async nearest(
    tenantId: TenantId,
    tail: Float32Array,
    k: number,
    filter: HeadFilter,
  ): Promise<readonly HeadHit[]> {
    for (let size = Math.min(mostHeads, k * headsPerTrack); ; size = Math.min(mostHeads, size * 4)) {
      const hits = await this.ask(tenantId, tail, size, filter);
      const best = bestOfTracks(hits, k);
      if (best.length >= k || hits.length < size || size === mostHeads) return best;
    }
  }

  private async ask(
    tenantId: TenantId,
    tail: Float32Array,
    size: number,
    filter: HeadFilter,
  ): Promise<readonly HeadHit[]> {
    try {
      const answer = await this.client.search<HeadSource>(
        {
          index: this.names.alias,
          size,
          _source: ['catalog', 'track', 'tempoBpm', 'atMs', 'ordinal'],
          allow_partial_search_results: false,
          knn: {
            field: 'vector',
            query_vector: [...tail.subarray(0, this.options.model.dimensions)],
            k: size,
            num_candidates: Math.min(mostHeads, Math.max(leastCandidates, 2 * size)),
            filter: headQueries(tenantId, filter),
            // Bytes of vectors of different lengths are coarse; the order of what was found is made by the vectors themselves.
            rescore_vector: { oversample },
          },
          filter_path: ['hits.hits._source', 'hits.hits._score'],
        },
        prompt,
      );
      return (answer.hits?.hits ?? []).flatMap(({ _source, _score }) =>
        _source === undefined ? [] : [headHit(_source, _score ?? 0)],
      );
    } catch (error) {
      throw indexError(error);
    }
  }

  private async write(actions: Parameters<typeof writeBulk>[2]): Promise<void> {
    await writeBulk(this.client, { name: this.names.alias, isAlias: true }, actions, this.retry);
  }

  private async remembered(): Promise<number> {
    const [state] = await this.sources<{ sequence: number }>([[stateId, stateId]]);
    return state?.sequence ?? 0;
  }

  /** Documents that are stored of each track, as the last write left them, refreshed or not. */
  private async counts(trackIds: readonly TrackId[]): Promise<readonly number[]> {
    const firsts = await this.sources<{ heads: number }>(trackIds.map((id) => [documentId(id, 0), id]));
    return firsts.map((first) => first?.heads ?? 0);
  }

  /** @throws {IndexGoneError} when there is no index */
  private async sources<T>(
    documents: readonly (readonly [id: string, routing: string])[],
  ): Promise<readonly (T | undefined)[]> {
    const docs = documents.map(([_id, routing]) => ({ _id, routing, _source: ['heads', 'sequence'] }));
    const { docs: found } = await persistently(this.retry, () =>
      this.client.mget<T>({ index: this.names.alias, docs }, prompt),
    );
    return found.map((document) => {
      if ('found' in document) return document._source;
      const text = document.error.reason ?? document.error.type;
      if (document.error.type === 'index_not_found_exception') throw new IndexGoneError(text);
      throw new IndexUnavailableError(`the cluster cannot answer: ${text}`);
    });
  }

  private async make(): Promise<void> {
    const { shards = 3, replicas = '0-1', model } = this.options;
    const known = await this.indexesLike(this.names.versions);
    const version = 1 + Math.max(0, ...known.map((name) => headVersion(this.names, name)));
    const index = headVersionName(this.names, version);
    const wait = { wait_for_active_shards: 'all', timeout: '30s' } as const;
    const aliases = { [this.names.alias]: { is_write_index: true } };
    await persistently(this.retry, async () => {
      try {
        const body = headIndexBody(model, { shards, replicas });
        await this.client.indices.create({ index, ...wait, aliases, ...body }, { maxRetries: 0 });
      } catch (error) {
        // Made just now by another process, or by an attempt that got no answer.
        if (!isAlreadyThere(error)) throw error;
      }
    });
    const all = await this.indexesLike(this.names.all);
    await this.delete(all.filter((name) => name.localeCompare(index, 'en', { numeric: true }) < 0));
  }

  private async indexesLike(pattern: string): Promise<string[]> {
    const found = await persistently(this.retry, () =>
      this.client.indices.get({ index: pattern, features: ['aliases'], allow_no_indices: true }),
    );
    return Object.keys(found);
  }

  private async delete(index: readonly string[]): Promise<void> {
    if (index.length === 0) return;
    await persistently(this.retry, () =>
      this.client.indices.delete({ index: [...index], ignore_unavailable: true }),
    );
  }
}
