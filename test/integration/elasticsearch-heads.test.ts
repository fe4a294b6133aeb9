import { ElasticsearchHeads } from '@earmark/fingerprint-index';
import { describeHeadSearch } from '@earmark/transition/testing';
import { afterAll, beforeAll, describe } from 'vitest';
import { TestCluster } from '../support/elasticsearch/cluster.ts';
import { availableServers } from '../support/elasticsearch/servers.ts';

describe.each(availableServers())('Elasticsearch $version', (server) => {
  let cluster: TestCluster;
  let run = 0;

  beforeAll(async () => {
    cluster = await TestCluster.start({ server });
  });
  afterAll(() => cluster.stop());

  describeHeadSearch('Elasticsearch', async (model) => {
    const connection = { nodes: cluster.urls };
    const heads = new ElasticsearchHeads({ connection, installation: `run-${++run}`, model, shards: 2 });
    await heads.appliedSequence();
    return heads;
  });
});
