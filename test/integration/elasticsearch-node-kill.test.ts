import type { TrackId } from '@earmark/kernel';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestCluster } from '../support/elasticsearch/cluster.ts';
import { IndexedEngine } from '../support/elasticsearch/indexed-engine.ts';

const tracks = 24;

describe('three Elasticsearch nodes with one copy', () => {
  let cluster: TestCluster;
  let indexed: IndexedEngine;

  beforeAll(async () => {
    cluster = await TestCluster.start({ nodes: 3 });
    indexed = await IndexedEngine.open(cluster.urls, 3);
  });
  afterAll(async () => {
    try {
      await indexed.close();
    } finally {
      await cluster.stop();
    }
  });

  it('loses no acknowledged track when a node is killed in the middle of an ingest', async () => {
    const acknowledged = new Map<number, TrackId>();
    const again: number[] = [];
    for (let seed = 1; seed <= tracks; seed++) {
      if (seed === tracks / 3) cluster.kill(0);
      try {
        acknowledged.set(seed, await indexed.ingest(seed));
      } catch {
        again.push(seed); // committed in the database: repeating it makes it findable
      }
    }
    for (const seed of again) acknowledged.set(seed, await indexed.ingest(seed));
    expect(acknowledged.size).toBe(tracks);
    for (const [seed, trackId] of acknowledged)
      expect(await indexed.find(seed), `seed ${seed}`).toEqual([trackId]);
    const { details } = await indexed.engine.health();
    expect(details['nodes']).toBe(2);
    expect((await indexed.engine.stats(indexed.engine.tenantId)).index.tracks).toBe(tracks);
  });

  it('says that it is down when chunks have no copy left, and loses nothing', async () => {
    const before = await indexed.engine.stats(indexed.engine.tenantId);
    cluster.freeze(1);
    try {
      expect((await indexed.engine.health()).status).toBe('down');
    } finally {
      cluster.thaw(1);
    }
    await expect
      .poll(async () => (await indexed.engine.health()).status, { timeout: 120_000, interval: 1000 })
      .not.toBe('down');
    expect((await indexed.engine.stats(indexed.engine.tenantId)).index.tracks).toBe(before.index.tracks);
  });
});
