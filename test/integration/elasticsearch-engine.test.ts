import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestCluster } from '../support/elasticsearch/cluster.ts';
import { IndexedEngine } from '../support/elasticsearch/indexed-engine.ts';

describe('the engine on one Elasticsearch node', () => {
  let cluster: TestCluster;
  let indexed: IndexedEngine;

  beforeAll(async () => {
    cluster = await TestCluster.start();
    indexed = await IndexedEngine.open(cluster.urls, 2);
  });
  afterAll(async () => {
    try {
      await indexed.close();
    } finally {
      await cluster.stop();
    }
  });

  it('finds what it has taken in and no longer what was deleted', async () => {
    const first = await indexed.ingest(1);
    const second = await indexed.ingest(2);
    expect(await indexed.find(1)).toEqual([first]);
    expect(await indexed.find(2)).toEqual([second]);
    expect(await indexed.engine.health()).toMatchObject({
      status: 'ok',
      details: { engine: 'elasticsearch' },
    });
    await indexed.engine.deleteTrack(indexed.engine.tenantId, second);
    expect(await indexed.find(2)).toEqual([]);
    expect((await indexed.engine.stats(indexed.engine.tenantId)).index.tracks).toBe(1);
  });

  it('answers and takes changes all the time while the index is rebuilt', async () => {
    const kept = await indexed.ingest(10);
    const before = await versions(cluster, indexed.installation);
    let during: Promise<unknown> | undefined;
    const answers: string[][] = [];
    let rebuilding = true;
    const asking = (async () => {
      while (rebuilding) answers.push(await indexed.find(10));
    })();
    await indexed.engine.rebuildIndex({
      onProgress: () => {
        during ??= indexed.ingest(11);
      },
    });
    rebuilding = false;
    await asking;
    await during;
    expect(answers.length).toBeGreaterThan(1);
    expect(answers.every(([found]) => found === kept)).toBe(true);
    expect(await indexed.find(11)).toHaveLength(1);
    const after = await versions(cluster, indexed.installation);
    expect(after).toHaveLength(1);
    expect(after).not.toEqual(before);
  });

  it('keeps changes that a full cluster refuses, and applies them when there is room again', async () => {
    const alias = `${indexed.installation}-fingerprints`;
    const block = (on: boolean | null): Promise<unknown> =>
      cluster.request('PUT', `/${alias}/_settings`, { 'index.blocks.read_only_allow_delete': on });
    await block(true);
    await expect(indexed.ingest(20)).rejects.toMatchObject({ code: 'index.full' });
    expect(await indexed.engine.health()).toMatchObject({ status: 'degraded' });
    expect(await indexed.find(10)).toHaveLength(1);
    const { tracks, index } = await indexed.engine.stats(indexed.engine.tenantId);
    expect(tracks).toBe(index.tracks + 1);
    await block(null);
    const repeated = await indexed.ingest(20);
    expect(await indexed.find(20)).toEqual([repeated]);
  });

  it('makes a lost index again from the database', async () => {
    const known = await indexed.find(10);
    for (const name of await versions(cluster, indexed.installation))
      await cluster.request('DELETE', `/${name}`);
    const added = await indexed.ingest(30);
    expect(await indexed.find(10)).toEqual(known);
    expect(await indexed.find(30)).toEqual([added]);
  });
});

async function versions(cluster: TestCluster, installation: string): Promise<string[]> {
  return Object.keys((await cluster.request('GET', `/${installation}-fingerprints-v*`)) as object);
}
