import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { CatalogConflictError, type Track, type TrackAudio } from '@earmark/catalog';
import type { CatalogId, TenantId } from '@earmark/kernel';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  newId,
  openDatabase,
  PgCatalogStore,
  PgOutbox,
  PgScanStore,
  PgTrackPeaksStore,
  PgTrackStore,
} from './index.js';
import type { Database } from './index.js';
import { openTestDatabase } from './testing.js';

type Opened = Readonly<{ database: Database; end: () => Promise<void> }>;

async function openEmbedded(): Promise<Opened> {
  const dataDir = mkdtempSync(path.join(os.tmpdir(), 'earmark-'));
  const database = await openDatabase({ dataDir });
  return {
    database,
    async end() {
      await database.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

const audio: TrackAudio = {
  durationMs: 61_000,
  contentHash: 'ab'.repeat(32),
  fingerprintConfigId: 'fp-1',
  peaks: new Uint8Array([0, 1, 2, 255]),
};

describe.each([
  ['embedded', openEmbedded],
  ['external', openTestDatabase],
] as const)('stores on the %s server', (kind, open) => {
  let opened: Opened;
  let tenantId: TenantId;
  let catalogId: CatalogId;
  let catalogs: PgCatalogStore;
  let tracks: PgTrackStore;
  let outbox: PgOutbox;
  let scans: PgScanStore;

  beforeAll(async () => {
    opened = await open();
    catalogs = new PgCatalogStore(opened.database.pool);
    tracks = new PgTrackStore(opened.database);
    outbox = new PgOutbox(opened.database.pool);
    scans = new PgScanStore(opened.database);
    tenantId = await catalogs.ensureTenant('acme');
    catalogId = (await catalogs.ensureCatalog(tenantId, 'main')).id;
  });
  afterAll(() => opened.end());

  const make = (over: Partial<Track> = {}): Promise<Track> =>
    tracks.create({
      tenantId,
      catalogId,
      metadata: { artists: ['A', 'B "quoted", {braces}'], refs: [], ...over },
    });

  it('says which kind of server it runs on', () => {
    expect(opened.database.kind).toBe(kind);
    expect(opened.database.serverVersion).toMatch(/^\d+/);
  });

  it('finds a tenant and a catalog again by name, also when made at the same time', async () => {
    const made = await Promise.all(Array.from({ length: 8 }, () => catalogs.ensureCatalog(tenantId, 'busy')));
    expect(new Set(made.map((catalog) => catalog.id)).size).toBe(1);
    expect(await catalogs.ensureTenant('acme')).toBe(tenantId);
    expect((await catalogs.listCatalogs(tenantId)).map((catalog) => catalog.name)).toEqual(['busy', 'main']);
    expect(await catalogs.findCatalog(tenantId, 'none')).toBeUndefined();
  });

  it('gives back a track as it was stored', async () => {
    const rights = { owner: 'Ö & Söhne', territories: ['DE', 'AT'], sharePct: 50 };
    const refs = [{ namespace: 'shop', value: 'x-1' }];
    const made = await make({ title: '曲', isrc: 'DEA121234567', rights, refs });
    expect(made).toMatchObject({
      title: '曲',
      isrc: 'DEA121234567',
      rights,
      refs,
      status: 'pending',
      version: 1,
    });
    expect(made.artists).toEqual(['A', 'B "quoted", {braces}']);
    expect(await tracks.findById(tenantId, made.id)).toEqual(made);
    expect(await tracks.findByIds(tenantId, [made.id, newId('track')])).toEqual([made]);
    expect(await tracks.findByRef(tenantId, catalogId, { namespace: 'shop', value: 'x-1' })).toEqual(made);
    expect(await tracks.findByRef(tenantId, catalogId, { namespace: 'isrc', value: 'DEA121234567' })).toEqual(
      made,
    );
  });

  it('hides a track from another tenant', async () => {
    const other = await catalogs.ensureTenant('other');
    const made = await make();
    expect(await tracks.findById(other, made.id)).toBeUndefined();
    expect(await tracks.update(other, made.id, { title: 'mine now' })).toBeUndefined();
    expect(await tracks.remove(other, made.id)).toBe(false);
  });

  it('refuses a reference that another track holds and stores nothing of the attempt', async () => {
    const ref = { namespace: 'shop', value: 'taken' };
    const holder = await make({ refs: [ref] });
    const before = (await tracks.list(tenantId, {}, { limit: 1000 })).length;
    await expect(make({ refs: [ref] })).rejects.toMatchObject({
      code: 'catalog.ref-taken',
      trackId: holder.id,
    });
    expect((await tracks.list(tenantId, {}, { limit: 1000 })).length).toBe(before);
  });

  it('edits only the version it was asked to edit', async () => {
    const made = await make({ title: 'before', isrc: 'DEA121234568' });
    const edited = await tracks.update(tenantId, made.id, { title: 'after', isrc: null }, 1);
    expect(edited).toMatchObject({ title: 'after', version: 2 });
    expect(edited?.isrc).toBeUndefined();
    const stale = tracks.update(tenantId, made.id, { title: 'lost' }, 1);
    await expect(stale).rejects.toBeInstanceOf(CatalogConflictError);
    expect((await tracks.findById(tenantId, made.id))?.title).toBe('after');
  });

  it('makes a track ready together with its peaks and its outbox entry', async () => {
    const start = await outbox.head();
    const made = await make();
    const ready = await tracks.complete(tenantId, made.id, audio);
    expect(ready).toMatchObject({ status: 'ready', durationMs: 61_000, contentHash: audio.contentHash });
    expect(await tracks.findByContentHash(tenantId, catalogId, audio.contentHash)).toContainEqual(ready);
    const peaks = new PgTrackPeaksStore(opened.database.pool);
    const [found] = await peaks.findMany([made.id]);
    expect(found && new Uint8Array(found.peaks)).toEqual(audio.peaks);
    expect(await outbox.read(start, 10)).toMatchObject([
      { op: 'add', trackId: made.id, tenantId, catalogId },
    ]);
    const all = await peaks.list({ limit: 1000 });
    expect(all.map((entry) => entry.trackId)).toContain(made.id);
    expect(await peaks.list({ limit: 10, after: all.at(-1)!.trackId })).toEqual([]);
  });

  it('removes a track with everything of it and tells the indexes', async () => {
    const made = await make({ refs: [{ namespace: 'shop', value: 'gone' }] });
    await tracks.complete(tenantId, made.id, audio);
    const start = await outbox.head();
    expect(await tracks.remove(tenantId, made.id)).toBe(true);
    expect(await tracks.remove(tenantId, made.id)).toBe(false);
    expect(await outbox.read(start, 10)).toMatchObject([{ op: 'remove', trackId: made.id }]);
    expect(await new PgTrackPeaksStore(opened.database.pool).findMany([made.id])).toEqual([]);
    expect(await tracks.complete(tenantId, made.id, audio)).toBeUndefined();
    expect(await tracks.findByRef(tenantId, catalogId, { namespace: 'shop', value: 'gone' })).toBeUndefined();
  });

  it('records a failure, but never over a ready track', async () => {
    const error = { code: 'media.truncated', title: 'ends too early' };
    const failed = await make();
    await tracks.fail(tenantId, failed.id, error);
    expect(await tracks.findById(tenantId, failed.id)).toMatchObject({ status: 'failed', error });
    const ready = await make();
    await tracks.complete(tenantId, ready.id, audio);
    await tracks.fail(tenantId, ready.id, error);
    expect((await tracks.findById(tenantId, ready.id))?.status).toBe('ready');
  });

  it('shows outbox entries in the order of their numbers under concurrent writers', async () => {
    const start = await outbox.head();
    let seen = start;
    const order: number[] = [];
    let writing = true;
    const reader = (async () => {
      for (;;) {
        const done = !writing;
        const entries = await outbox.read(seen, 100);
        for (const entry of entries) order.push(entry.sequence);
        seen = entries.at(-1)?.sequence ?? seen;
        if (done && entries.length === 0) return;
      }
    })();
    await Promise.all(
      Array.from({ length: 40 }, async () => {
        const made = await make();
        await tracks.complete(tenantId, made.id, audio);
      }),
    );
    writing = false;
    await reader;
    expect(order).toHaveLength(40);
    expect(order).toEqual([...order].sort((a, b) => a - b));
  });

  it('remembers how far each consumer has come and goes back only on request', async () => {
    expect(await outbox.position('index-a')).toBe(0);
    await outbox.advance('index-a', 7);
    await outbox.advance('index-a', 3);
    expect(await outbox.position('index-a')).toBe(7);
    await outbox.advance('index-a', 0, { reset: true });
    expect(await outbox.position('index-a')).toBe(0);
  });

  it('lists tracks in pages and by filter', async () => {
    const { id: paged } = await catalogs.ensureCatalog(tenantId, 'paged');
    for (let i = 0; i < 5; i++) {
      await tracks.create({ tenantId, catalogId: paged, metadata: { artists: [], refs: [] } });
    }
    const first = await tracks.list(tenantId, { catalogIds: [paged] }, { limit: 3 });
    const second = await tracks.list(
      tenantId,
      { catalogIds: [paged] },
      { limit: 3, after: first.at(-1)!.id },
    );
    expect([...first, ...second].map((track) => track.id)).toEqual(
      [...new Set([...first, ...second].map((track) => track.id))].sort(),
    );
    expect(first.length + second.length).toBe(5);
    expect(await tracks.list(tenantId, { catalogIds: [paged], status: 'ready' }, { limit: 3 })).toEqual([]);
    expect(await tracks.list(tenantId, { isrc: 'USAAA0000000' }, { limit: 3 })).toEqual([]);
    expect((await tracks.totals(tenantId)).tracks).toBeGreaterThan(0);
  });

  it('keeps a scan with its matches and peaks', async () => {
    const track = await make({ title: 'found' });
    const scan = await scans.create({ tenantId, catalogIds: [catalogId], source: 'a film.mp4' });
    expect(scan).toMatchObject({ state: 'queued', source: 'a film.mp4', catalogIds: [catalogId] });
    await scans.setState(tenantId, scan.id, 'running');
    const match = {
      trackId: track.id,
      title: 'found',
      queryStartMs: 1000,
      queryEndMs: 9000,
      referenceStartMs: 0,
      referenceEndMs: 8400,
      score: 0.75,
      probability: 0.99,
      speedRatio: 1.05,
      pitchCents: 84.5,
      role: 'under-speech',
      relation: 'version',
      alternatives: [{ trackId: newId('track'), probability: 0.5 }],
    } as const;
    const peaks = {
      fingerprintConfigId: 'fp-1',
      peaks: new Uint8Array([9, 8]),
      startedAtMs: 1_700_000_000_123,
      gaps: [{ startMs: 5, endMs: 6 }],
    };
    await scans.complete(tenantId, scan.id, {
      durationMs: 120_000,
      matches: [match, { ...match, queryStartMs: 2000 }],
      peaks,
    });
    expect(await scans.findById(tenantId, scan.id)).toMatchObject({ state: 'done', durationMs: 120_000 });
    const stored = await scans.matches(tenantId, scan.id);
    expect(stored).toMatchObject([match, { ...match, queryStartMs: 2000 }]);
    expect(await scans.matches(tenantId, scan.id, { limit: 5, after: stored[0].id })).toEqual([stored[1]]);
    const kept = await scans.peaks(tenantId, scan.id);
    expect(kept && { ...kept, peaks: new Uint8Array(kept.peaks) }).toEqual(peaks);
    expect((await scans.list(tenantId, { limit: 1 }))[0]?.id).toBe(scan.id);
    expect(await scans.list(tenantId, { limit: 5, before: scan.id })).toEqual([]);
    await expect(scans.setState(tenantId, scan.id, 'running')).rejects.toMatchObject({
      code: 'monitoring.bad-transition',
    });
  });

  it('records why a scan failed', async () => {
    const scan = await scans.create({ tenantId, source: 'x' });
    await scans.setState(tenantId, scan.id, 'failed', { code: 'media.empty', title: 'empty file' });
    const failed = await scans.findById(tenantId, scan.id);
    expect(failed).toMatchObject({ state: 'failed', error: { code: 'media.empty', title: 'empty file' } });
    expect(failed?.finishedAtMs).toBeGreaterThan(0);
    expect(await scans.peaks(tenantId, scan.id)).toBeUndefined();
    await expect(scans.setState(tenantId, newId('scan'), 'failed')).rejects.toMatchObject({
      code: 'monitoring.no-such-scan',
    });
  });

  it('rolls back a transaction that throws', async () => {
    const attempt = opened.database.transaction(async (client) => {
      await client.query(`INSERT INTO tenant (id, name) VALUES ('ten_x', 'half-written')`);
      throw new Error('no');
    });
    await expect(attempt).rejects.toThrow('no');
    const { rows } = await opened.database.pool.query(`SELECT 1 FROM tenant WHERE name = 'half-written'`);
    expect(rows).toEqual([]);
  });
});
