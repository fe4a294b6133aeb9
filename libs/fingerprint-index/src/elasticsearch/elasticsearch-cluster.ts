import type { Client } from '@elastic/elasticsearch';
import { indexConfigId } from '../embedded/embedded-index.js';
import { IndexConfigMismatchError } from '../errors.js';
import type { FingerprintIndex } from '../port.js';
import type { ChunkSource } from './chunk-alignment.js';
import { defaultDepth, type SearchDepth } from './chunk-search.js';
import {
  defaultRetry,
  openClient,
  persistently,
  type ElasticsearchConnection,
  type RetryPolicy,
} from './connection.js';
import { ElasticsearchIndex } from './elasticsearch-index.js';
import { indexError, isAlreadyThere, IndexGoneError } from './errors.js';
import { indexNames, indexTemplate, versionName, versionNumber, type IndexNames } from './index-names.js';

/** How a fingerprint index in Elasticsearch is opened. */
export type ElasticsearchOptions = Readonly<{
  connection: ElasticsearchConnection;
  /** Name that keeps several installations in one cluster apart: lower-case letters, digits, `-` and `_`. */
  installation: string;
  /** Where the landmarks of found chunks come from. */
  chunks: ChunkSource;
  /** Shards of a version that is made from now on; default 3. */
  shards?: number;
  /** Replicas, as `MIN-MAX` by the number of nodes; default `0-1`. */
  replicas?: string;
  retry?: RetryPolicy;
  depth?: Partial<SearchDepth>;
}>;

/** A version of the index that is being built beside the one that serves. */
export type IndexBuild = Readonly<{
  /** Takes everything that the new version shall hold; what it takes is found after {@link IndexBuild.publish}. */
  index: FingerprintIndex;
  /** Gives the new version its copies, so that publishing takes no time; more may be written afterwards. */
  settle: () => Promise<void>;
  /** Makes the new version the one that serves, in one step, and removes the old one. */
  publish: () => Promise<void>;
  /** Removes what was built. */
  abandon: () => Promise<void>;
}>;

/** The fingerprint indexes of one installation in a cluster: the version that serves, and those being built. */
export class ElasticsearchCluster {
  /** The version that serves, whichever it is. */
  readonly index: ElasticsearchIndex;
  private readonly client: Client;
  private readonly names: IndexNames;
  private readonly options: ElasticsearchOptions;
  private readonly retry: RetryPolicy;

  /** Opens nothing yet: the cluster may be out of reach for now. */
  constructor(options: ElasticsearchOptions) {
    this.options = options;
    this.names = indexNames(options.installation);
    this.retry = options.retry ?? defaultRetry;
    this.client = openClient(options.connection);
    this.index = this.open(this.names.alias, true);
  }

  /**
   * Makes template, first version and alias where they are missing.
   *
   * @throws {IndexConfigMismatchError} when the index was made by another fingerprint configuration
   * @throws {IndexUnavailableError} when the cluster cannot be reached
   */
  async ensure(): Promise<void> {
    const serving = await this.serving();
    if (serving.length > 0) return this.checkConfiguration();
    const next = 1 + Math.max(0, ...(await this.versions()));
    await this.putTemplate();
    await this.create(versionName(this.names, next), {
      aliases: { [this.names.alias]: { is_write_index: true } },
    });
  }

  /** Starts a new version; versions that an earlier build has left behind are removed. One build at a time. */
  async build(): Promise<IndexBuild> {
    const serving = await persistently(this.retry, () => this.serving());
    const versions = await this.versions();
    const left = versions
      .map((version) => versionName(this.names, version))
      .filter((name) => !serving.includes(name));
    if (left.length > 0) await this.delete(left);
    const name = versionName(this.names, 1 + Math.max(0, ...versions));
    await this.putTemplate();
    const settings = { refresh_interval: '-1', auto_expand_replicas: 'false', number_of_replicas: 0 };
    await this.create(name, { settings });
    const index = this.open(name, false);
    return {
      index,
      settle: () => this.settle(name),
      publish: async () => {
        await index.close();
        await this.publish(name);
      },
      abandon: async () => {
        await index.close();
        await this.delete([name]);
      },
    };
  }

  /** Removes every version and the template; the installation ends. */
  async remove(): Promise<void> {
    const versions = await this.versions();
    if (versions.length > 0) await this.delete(versions.map((version) => versionName(this.names, version)));
    const { template } = this.names;
    await persistently(this.retry, () =>
      this.client.indices.deleteIndexTemplate({ name: template }, { ignore: [404] }),
    );
  }

  /** Waits for writes under way and lets go of the connections. */
  async close(): Promise<void> {
    await this.index.close();
    await this.client.close();
  }

  private open(name: string, isAlias: boolean): ElasticsearchIndex {
    const { chunks, depth } = this.options;
    return new ElasticsearchIndex({
      client: this.client,
      name,
      isAlias,
      refreshes: isAlias,
      chunks,
      retry: this.retry,
      depth: { ...defaultDepth, ...depth },
    });
  }

  private async settle(name: string): Promise<void> {
    const settings = { refresh_interval: '30s', auto_expand_replicas: this.replicas };
    await persistently(this.retry, () => this.client.indices.putSettings({ index: name, settings }));
    const wait = { index: name, wait_for_status: 'green', timeout: '60s' } as const;
    // Copies may still be on their way after a minute: the new version serves without them for a while.
    await this.client.cluster.health(wait).catch(() => undefined);
  }

  private async publish(name: string): Promise<void> {
    const { alias } = this.names;
    await persistently(this.retry, () => this.client.indices.refresh({ index: name }));
    const old = await persistently(this.retry, () => this.serving());
    const actions = [
      ...old.map((index) => ({ remove: { index, alias } })),
      { add: { index: name, alias, is_write_index: true } },
    ];
    await persistently(this.retry, () => this.client.indices.updateAliases({ actions }));
    if (old.length > 0) await this.delete(old);
  }

  private get replicas(): string {
    return this.options.replicas ?? '0-1';
  }

  /** Makes an index; one that exists is one that another process, or an attempt that got no answer, has just made. */
  private async create(index: string, more: object): Promise<void> {
    const wait = { wait_for_active_shards: 'all', timeout: '30s' } as const;
    await persistently(this.retry, async () => {
      try {
        await this.client.indices.create({ index, ...wait, ...more }, { maxRetries: 0 });
      } catch (error) {
        if (!isAlreadyThere(error)) throw error;
      }
    });
  }

  private async putTemplate(): Promise<void> {
    const layout = { shards: this.options.shards ?? 3, replicas: this.replicas };
    await persistently(this.retry, () =>
      this.client.indices.putIndexTemplate({
        name: this.names.template,
        ...indexTemplate(this.names, layout),
      }),
    );
  }

  private async delete(index: readonly string[]): Promise<void> {
    await persistently(this.retry, () =>
      this.client.indices.delete({ index: [...index], ignore_unavailable: true }),
    );
  }

  private async checkConfiguration(): Promise<void> {
    const { alias } = this.names;
    const mappings = await this.client.indices.getMapping({ index: alias }).catch((error: unknown) => {
      throw indexError(error);
    });
    for (const [name, { mappings: mapping }] of Object.entries(mappings)) {
      const made: unknown = mapping._meta?.['fingerprint'];
      if (made !== indexConfigId) throw new IndexConfigMismatchError(name, indexConfigId, String(made));
    }
  }

  /** Names of the versions that the alias stands for; none at first. */
  private async serving(): Promise<string[]> {
    return this.namesIn(() => this.client.indices.getAlias({ name: this.names.alias }));
  }

  private async versions(): Promise<number[]> {
    const found = await this.namesIn(() =>
      this.client.indices.get({ index: this.names.pattern, features: ['aliases'] }),
    );
    return found.map((name) => versionNumber(this.names, name));
  }

  private async namesIn(request: () => Promise<Readonly<Record<string, unknown>>>): Promise<string[]> {
    try {
      return Object.keys(await request());
    } catch (error) {
      const known = indexError(error);
      if (known instanceof IndexGoneError) return [];
      throw known;
    }
  }
}
