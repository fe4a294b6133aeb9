import { ElasticsearchCluster, type ChunkSource, type IndexChunk } from '@earmark/fingerprint-index';
import { describeFingerprintIndex } from '@earmark/fingerprint-index/testing';
import { afterAll, beforeAll, beforeEach, describe } from 'vitest';
import { TestCluster } from '../support/elasticsearch/cluster.ts';
import { availableServers } from '../support/elasticsearch/servers.ts';

/** What the database would know: every chunk that was ever given to the index. */
class RememberedChunks implements ChunkSource {
  private readonly chunks = new Map<string, IndexChunk>();

  remember(chunks: readonly IndexChunk[]): void {
    for (const chunk of chunks) this.chunks.set(`${chunk.trackId}/${chunk.chunk}`, chunk);
  }

  chunksAt(places: Parameters<ChunkSource['chunksAt']>[0]): Promise<readonly IndexChunk[]> {
    return Promise.resolve(
      places.flatMap(({ trackId, chunk }) => this.chunks.get(`${trackId}/${chunk}`) ?? []),
    );
  }
}

describe.each(availableServers())('Elasticsearch $version', (server) => {
  let cluster: TestCluster;
  let run = 0;
  let chunks = new RememberedChunks();

  beforeAll(async () => {
    cluster = await TestCluster.start({ server });
  });
  afterAll(() => cluster.stop());
  beforeEach(() => {
    run++;
    chunks = new RememberedChunks();
  });

  describeFingerprintIndex(
    'the Elasticsearch index',
    async () => {
      const opened = new ElasticsearchCluster({
        connection: { nodes: cluster.urls },
        installation: `run-${run}`,
        chunks,
        shards: 2,
      });
      await opened.ensure();
      const { index } = opened;
      return {
        add: (added, options) => {
          chunks.remember(added);
          return index.add(added, options);
        },
        remove: (trackId, options) => index.remove(trackId, options),
        candidates: (query, k) => index.candidates(query, k),
        appliedSequence: () => index.appliedSequence(),
        health: () => index.health(),
        close: () => opened.close(),
      };
    },
    { alignments: true },
  );
});
