import type { CatalogId, TenantId, TrackId } from '@earmark/kernel';
import type { Facet, TrackTag } from '@earmark/tagging';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  JobQueue,
  newId,
  PgCatalogStore,
  PgModelVersionStore,
  PgTagSearch,
  PgTagStore,
  PgTrackStore,
  type NewTagging,
  type TagFilter,
} from './index.js';
import { openTestDatabase, type TestDatabase } from './testing.js';

const one = { id: 'earmark-tagger', version: '1.0.0' };
const two = { id: 'earmark-tagger', version: '2.0.0' };

const manifest = {
  frontEnd: { sampleRateHz: 16_000, hopSamples: 320 },
  input: { frames: 250, hopFrames: 125 },
};

const tag = (facet: Facet, name: string, score: number, startMs = 0, endMs = 10_000): TrackTag => ({
  facet,
  tag: name,
  score,
  segments: [{ startMs, endMs, score }],
});

const tagging = (tags: readonly TrackTag[], change: Partial<NewTagging> = {}): NewTagging => ({
  durationMs: 10_000,
  model: one,
  ontology: { id: 'earmark', version: '1.0.0' },
  tags,
  segments: [
    {
      startMs: 0,
      endMs: 5000,
      tags: [],
      descriptors: { energy: 0.2, brightnessHz: 1500, onsetRateHz: 2, tempoFeel: 'moderate' },
    },
    {
      startMs: 2500,
      endMs: 7500,
      tags: [],
      descriptors: { energy: 0, brightnessHz: 0, onsetRateHz: 0, tempoFeel: 'still' },
    },
  ],
  shifts: [{ atMs: 5000, from: ['happy'], to: ['sad'] }],
  ambiguous: [],
  sentence: { en: 'happy piano', zh: '欢快的钢琴' },
  embedding: Float32Array.of(0.5, -1.25),
  hearing: { network: 'ab'.repeat(32), outputs: Uint8Array.of(1, 2, 3) },
  ...change,
});

describe('tags in PostgreSQL', () => {
  let opened: TestDatabase;
  let tenantId: TenantId;
  let catalogId: CatalogId;
  let models: PgModelVersionStore;
  let store: PgTagStore;
  let search: PgTagSearch;
  let count = 0;

  beforeAll(async () => {
    opened = await openTestDatabase();
    const { pool } = opened.database;
    models = new PgModelVersionStore(pool);
    store = new PgTagStore(opened.database);
    search = new PgTagSearch(pool);
    for (const model of [one, two])
      await models.register({
        ...model,
        sha256: 'ab'.repeat(32),
        voice: 'ef'.repeat(32),
        manifest,
      });
  });
  afterAll(() => opened.end());

  beforeEach(async () => {
    const catalogs = new PgCatalogStore(opened.database.pool);
    tenantId = await catalogs.ensureTenant(`tenant ${count++}`);
    catalogId = (await catalogs.ensureCatalog(tenantId, 'main')).id;
  });

  async function track(...tags: TrackTag[]): Promise<TrackId> {
    const tracks = new PgTrackStore(opened.database);
    const { id } = await tracks.create({ tenantId, catalogId, metadata: { artists: [], refs: [] } });
    await store.save(tenantId, id, tagging(tags));
    return id;
  }

  it('gives back what a model said, tags by facet and score with their places', async () => {
    const tags = [
      tag('genre', 'jazz', 0.8),
      tag('mood', 'happy', 0.9, 0, 5000),
      tag('mood', 'sad', 0.6, 5000),
    ];
    const id = await track(...[...tags].reverse());
    const { hearing: _, ...said } = tagging(tags);
    expect(await store.find(tenantId, id, one)).toEqual(said);
    expect(await store.find(tenantId, id, two)).toBeUndefined();
  });

  it('keeps what the network heard, and means of descriptors over what sounds', async () => {
    const id = await track();
    const { rows } = await opened.database.pool.query<{ energy: number; brightness: number }>(
      'SELECT energy, brightness_hz AS brightness FROM track_tagging WHERE track_id = $1',
      [id],
    );
    expect([...((await store.hearing(tenantId, id, 'ab'.repeat(32))) ?? [])]).toEqual([1, 2, 3]);
    expect(await store.hearing(tenantId, id, 'cd'.repeat(32))).toBeUndefined();
    expect(await store.hearingBy(tenantId, id, one)).toMatchObject({ windowMs: 5000, hopMs: 2500 });
    expect(await store.hearingBy(tenantId, id, two)).toBeUndefined();
    expect(rows[0]).toMatchObject({ energy: 0.2, brightness: 1500 });
  });

  it('replaces the same version and keeps others beside it', async () => {
    const id = await track(tag('genre', 'jazz', 0.8));
    await store.save(tenantId, id, tagging([tag('genre', 'blues', 0.7)]));
    await store.save(tenantId, id, tagging([tag('genre', 'rock', 0.9)], { model: two }));
    expect((await store.find(tenantId, id, one))?.tags.map((said) => said.tag)).toEqual(['blues']);
    expect((await store.find(tenantId, id, two))?.tags.map((said) => said.tag)).toEqual(['rock']);
    expect(await store.taggedBy(tenantId, id)).toEqual([two, one]);
  });

  it('lets the active model speak for a track, else the last that heard it', async () => {
    const id = await track(tag('genre', 'jazz', 0.8));
    expect(await store.speaker(tenantId, id, two)).toEqual(one);
    await store.save(tenantId, id, tagging([], { model: two }));
    expect(await store.speaker(tenantId, id, undefined)).toEqual(two);
    expect(await store.speaker(tenantId, id, one)).toEqual(one);
    expect(await store.speaker(tenantId, newId('track'), one)).toBeUndefined();
  });

  it('reports the changes of a re-tagging job, stored with the tags or alone', async () => {
    const ids = [await track(), await track(), await track()].sort();
    const { id: jobId } = await new JobQueue(opened.database).enqueue({
      tenantId,
      kind: 'retag',
      payload: {},
    });
    const change = (trackId: TrackId) => ({ trackId, to: two, added: [], dropped: [], moved: [] });
    await store.save(tenantId, ids[2], tagging([], { model: two, retag: { jobId, change: change(ids[2]) } }));
    await store.report(tenantId, jobId, change(ids[0]));
    await store.report(tenantId, jobId, change(ids[0]));
    expect(await store.changes(tenantId, jobId, { limit: 1 })).toEqual([change(ids[0])]);
    expect(await store.changes(tenantId, jobId, { limit: 9, after: ids[0] })).toEqual([change(ids[2])]);
  });

  it('refuses tags for a track that is not there', async () => {
    await expect(store.save(tenantId, newId('track'), tagging([]))).rejects.toMatchObject({
      code: 'catalog.no-such-track',
    });
  });

  it('promotes a model and rolls back to the one before', async () => {
    expect(await models.active(tenantId)).toBeUndefined();
    await models.promote(tenantId, one);
    expect(await models.rollback(tenantId)).toBeUndefined();
    await models.promote(tenantId, two);
    await models.promote(tenantId, two);
    expect(await models.active(tenantId)).toEqual(two);
    expect(await models.rollback(tenantId)).toEqual(one);
    expect(await models.list()).toEqual(expect.arrayContaining([one, two]));
  });

  it('refuses a known version with another network or voice', async () => {
    const known = { ...one, sha256: 'ab'.repeat(32), voice: 'ef'.repeat(32), manifest: {} };
    await models.register(known);
    for (const changed of [
      { ...known, sha256: 'cd'.repeat(32) },
      { ...known, voice: 'cd'.repeat(32) },
    ])
      await expect(models.register(changed)).rejects.toMatchObject({ code: 'model.version-taken' });
  });

  it('counts the tracks of each version', async () => {
    await track();
    const used = await models.used(tenantId);
    expect(used.map(({ version, tracks }) => [version, tracks]).sort()).toEqual([
      ['1.0.0', 1],
      ['2.0.0', 0],
    ]);
  });

  it('keeps verdicts apart from the model and lets them overrule it in searches', async () => {
    const id = await track(tag('mood', 'happy', 0.9), tag('mood', 'sad', 0.6));
    await store.judge(tenantId, id, { facet: 'mood', tag: 'happy', verdict: 'rejected', author: 'ada' });
    await store.judge(tenantId, id, { facet: 'mood', tag: 'epic', verdict: 'rejected', author: 'ada' });
    await store.judge(tenantId, id, { facet: 'mood', tag: 'epic', verdict: 'confirmed', author: 'bob' });
    expect((await store.verdicts(tenantId, id)).map((said) => [said.tag, said.verdict, said.author])).toEqual(
      [
        ['epic', 'confirmed', 'bob'],
        ['happy', 'rejected', 'ada'],
      ],
    );
    const found = async (name: string) =>
      (await search.rank(tenantId, one, { filter: { op: 'tag', facet: 'mood', tags: [name] } })).length;
    expect([await found('happy'), await found('sad'), await found('epic')]).toEqual([0, 1, 1]);
    expect((await store.find(tenantId, id, one))?.tags).toHaveLength(2);
    expect(await store.unjudge(tenantId, id, 'mood', 'happy')).toBe(true);
    expect(await store.unjudge(tenantId, id, 'mood', 'happy')).toBe(false);
    expect(await found('happy')).toBe(1);
  });

  it('finds tracks by a tree of conditions, the best first, with places and counts', async () => {
    const jazz = await track(tag('genre', 'jazz', 0.6, 2500, 7500), tag('mood', 'happy', 0.9));
    const better = await track(tag('genre', 'jazz', 0.95), tag('mood', 'sad', 0.9));
    await track(tag('genre', 'rock', 0.9));
    const ids = async (filter: TagFilter) =>
      (await search.rank(tenantId, one, { filter })).map(({ trackId }) => trackId);
    const has = (facet: Facet, ...tags: string[]): TagFilter => ({ op: 'tag', facet, tags });
    const isJazz = has('genre', 'jazz');
    expect(await ids(isJazz)).toEqual([better, jazz]);
    expect(await ids({ ...has('genre', 'jazz'), minScore: 0.7 } as TagFilter)).toEqual([better]);
    expect(await ids({ op: 'score', facet: 'genre', tag: 'jazz', is: 'gt', value: 0.6 })).toEqual([better]);
    expect(await ids({ op: 'score', facet: 'genre', tag: 'jazz', is: 'lte', value: 0.6 })).toHaveLength(2);
    expect(await ids({ op: 'and', filters: [isJazz, { op: 'not', filter: has('mood', 'sad') }] })).toEqual([
      jazz,
    ]);
    expect(await ids({ op: 'or', filters: [has('mood', 'sad'), has('genre', 'rock')] })).toHaveLength(2);
    expect(await ids(has('genre', 'jazz', 'rock'))).toHaveLength(3);
    expect(await ids({ op: 'or', filters: [] })).toEqual([]);
    expect(await ids({ op: 'catalog', ids: [newId('catalog')] })).toEqual([]);
    expect(await ids({ op: 'number', field: 'brightnessHz', is: 'gt', value: 1000 })).toHaveLength(3);
    expect(await ids({ op: 'number', field: 'energy', is: 'lt', value: 0.1 })).toEqual([]);
    expect(await ids({ op: 'text', contains: '100%' })).toEqual([]);
    expect(await search.describe(tenantId, one, { filter: isJazz }, [jazz])).toEqual([
      {
        trackId: jazz,
        title: null,
        artists: [],
        durationMs: 10_000,
        model: one,
        sentence: { en: 'happy piano', zh: '欢快的钢琴' },
        places: [{ facet: 'genre', tag: 'jazz', startMs: 2500, endMs: 7500 }],
      },
    ]);
    expect(await search.facetCounts(tenantId, one, { filter: isJazz }, ['genre'])).toEqual([
      { facet: 'genre', tag: 'jazz', tracks: 2 },
    ]);
  });

  it('finds text in title, artist and ISRC as it is written', async () => {
    const tracks = new PgTrackStore(opened.database);
    const metadata = { title: 'Give 100% of_it', artists: ['Ada B'], isrc: 'USRC17607839', refs: [] };
    const { id } = await tracks.create({ tenantId, catalogId, metadata });
    await store.save(tenantId, id, tagging([]));
    await track();
    const found = async (filter: TagFilter) => (await search.rank(tenantId, one, { filter })).length;
    expect(await found({ op: 'text', contains: '100%' })).toBe(1);
    expect(await found({ op: 'text', contains: '_' })).toBe(1);
    expect(await found({ op: 'text', contains: 'usrc176' })).toBe(1);
    expect(await found({ op: 'artist', names: ['ada b'] })).toBe(1);
    expect(await found({ op: 'artist', names: ['ada'] })).toBe(0);
  });

  it('orders by weights, also negative ones, and pages without gaps or repeats', async () => {
    const a = await track(tag('mood', 'happy', 0.9), tag('mood', 'epic', 0.8));
    const b = await track(tag('mood', 'happy', 0.6));
    const c = await track(tag('mood', 'happy', 0.6));
    const weights = [
      { facet: 'mood', tag: 'happy', weight: 1 },
      { facet: 'mood', tag: 'epic', weight: -1 },
    ] as const;
    const all = await search.rank(tenantId, one, { weights });
    expect(all.map(({ trackId }) => trackId)).toEqual([...[b, c].sort(), a]);
    expect(all[0]?.score).toBeCloseTo(0.3);
    const first = await search.rank(tenantId, one, { weights }, { limit: 1 });
    const rest = await search.rank(tenantId, one, { weights }, { limit: 9, after: first[0] });
    expect([...first, ...rest]).toEqual(all);
  });

  it('lets the last model speak for tracks that the active one has not heard', async () => {
    const id = await track(tag('genre', 'jazz', 0.8));
    const isJazz = { filter: { op: 'tag', facet: 'genre', tags: ['jazz'] } } as const;
    expect(await search.rank(tenantId, two, isJazz)).toHaveLength(1);
    await store.save(tenantId, id, tagging([tag('genre', 'rock', 0.9)], { model: two }));
    expect(await search.rank(tenantId, two, isJazz)).toEqual([]);
    expect(await search.rank(tenantId, one, isJazz)).toHaveLength(1);
  });

  it('pages through embeddings in the order of tracks and forgets deleted ones', async () => {
    const ids = [await track(), await track(), await track()].sort();
    const page = await search.embeddings(tenantId, one, { limit: 2 });
    expect(page).toEqual(
      ids.slice(0, 2).map((trackId) => ({ trackId, embedding: Float32Array.of(0.5, -1.25) })),
    );
    await new PgTrackStore(opened.database).remove(tenantId, ids[2]);
    expect(await search.embeddings(tenantId, one, { limit: 2, after: ids[1] })).toEqual([]);
  });
});
