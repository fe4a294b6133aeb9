import { type Engine, type NextRequest, openEngine } from '@earmark/engine';
import type { TrackId } from '@earmark/kernel';
import { sql } from '@earmark/storage';
import { openTestDatabase, type TestDatabase } from '@earmark/storage/testing';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { samples } from '../support/earmark.ts';
import { TestCluster } from '../support/elasticsearch/cluster.ts';
import { fillWithSyntheticHeads } from '../support/synthetic-heads.ts';

const queries = 20;

describe('what comes next, with entry points in Elasticsearch', () => {
  let cluster: TestCluster;
  let test: TestDatabase;
  let [memory, searching]: Engine[] = [];
  let from: readonly { id: TrackId; bpm: number | null }[];

  const open = (headIndex: 'memory' | 'elasticsearch'): Promise<Engine> => {
    const { dataDir, databaseUrl } = test;
    const connection = { nodes: cluster.urls };
    const elasticsearch = { connection, prefix: 'next', shards: 2, replicas: '0-1' };
    const settings = { dataDir, databaseUrl, elasticsearch, headIndex, concurrency: 1, tagOnIngest: false };
    return openEngine({ ...settings, access: 'write' });
  };

  beforeAll(async () => {
    cluster = await TestCluster.start();
    test = await openTestDatabase();
    memory = await open('memory');
    searching = await open('elasticsearch');
    const target = { tenantId: memory.tenantId, catalogId: await memory.ensureCatalog() };
    const tracks = join(samples, 'tracks');
    for (const name of readdirSync(tracks).sort().slice(0, 4))
      await memory.ingestFile({ ...target, path: join(tracks, name) });
    await fillWithSyntheticHeads(test.database, 4_000, 1);
    ({ rows: from } = await test.database.pool.query<{ id: TrackId; bpm: number | null }>(sql`
      SELECT track_id AS id, tempo_bpm AS bpm FROM track_analysis ORDER BY track_id LIMIT ${queries}`));
  });
  afterAll(async () => {
    await memory.close();
    await searching.close();
    await test.end();
    await cluster.stop();
  });

  const answer = async (engine: Engine, request: Omit<NextRequest, 'tenantId'>): Promise<TrackId[]> => {
    const { candidates } = await engine.transitions.next({ ...request, tenantId: engine.tenantId });
    return candidates.map(({ trackId }) => trackId);
  };
  /**
   * Share of answers that both indexes give, over all questions. Not all are the same: the shortlist that is scored ends
   * somewhere, and near its end 8-bit vectors in memory and the graph of the cluster may differ. What both give is in
   * the same order, since it is scored by the same codes.
   */
  const agreement = async (more: (n: number) => Omit<NextRequest, 'tenantId' | 'from'>): Promise<number> => {
    let [common, all] = [0, 0];
    for (const [n, { id }] of from.entries()) {
      const request = { from: { trackId: id }, diversity: 0, ...more(n) };
      const [one, other] = [await answer(memory, request), await answer(searching, request)];
      expect(other).toHaveLength(one.length);
      const both = one.filter((trackId) => other.includes(trackId));
      expect(other.filter((trackId) => one.includes(trackId))).toEqual(both);
      common += both.length;
      all += one.length;
    }
    return common / all;
  };

  it('is what memory gives, but for the end of the shortlist', async () => {
    expect(await agreement(() => ({}))).toBeGreaterThanOrEqual(0.95);
  });

  it('is that with filters, history and named candidates', async () => {
    const filtered = await agreement((n) => ({
      filter: {
        tempoBpm: { min: (from[n].bpm ?? 120) * 0.88, max: (from[n].bpm ?? 120) * 1.12 },
        market: 'DE',
        explicit: false,
      },
      constraints: { artistGap: 3, maxSkipMs: 30_000, keyRule: 'compatible' },
      history: from.slice(0, 5).map(({ id }) => id),
    }));
    expect(filtered).toBeGreaterThanOrEqual(0.95);
    const candidates = from.map(({ id }) => id);
    expect(await agreement(() => ({ candidates, k: 5 }))).toBe(1);
  });

  it('follows what any process changes', async () => {
    const [{ id }] = from;
    const [gone] = await answer(searching, { from: { trackId: id } });
    await memory.deleteTrack(memory.tenantId, gone);
    await searching.transitions.warmUp();
    expect(await answer(searching, { from: { trackId: id } })).not.toContain(gone);
  });

  it('goes on when the index was lost, which is filled again from the database', async () => {
    const request = { from: { trackId: from[1].id } };
    const before = await answer(searching, request);
    const indexes = Object.keys((await cluster.request('GET', '/next-*-heads-*')) as object);
    expect(indexes).toHaveLength(1);
    await cluster.request('DELETE', `/${indexes[0]}`);
    expect(await answer(searching, request)).toEqual(before);
  });

  it('makes an index of the present model and removes those of earlier ones, not of later ones', async () => {
    const [index] = Object.keys((await cluster.request('GET', '/next-*-heads-*')) as object);
    const [earlier, later] = ['1.10.0', '10.0.0'].map((version) =>
      index.replace(/-\d+\.\d+\.\d+-v\d+$/, `-${version}-v000001`),
    );
    await cluster.request('PUT', `/${earlier}`);
    await cluster.request('PUT', `/${later}`);
    await cluster.request('DELETE', `/${index}`);
    await searching.transitions.warmUp();
    const left = Object.keys((await cluster.request('GET', '/next-*-heads-*')) as object);
    expect(left.sort()).toEqual([index, later].sort());
  });

  it('leaves nothing in the cluster when the installation is removed', async () => {
    await searching.removeIndex();
    expect(await cluster.request('GET', '/next-*')).toEqual({});
  });
});
