import { InvalidValueError, type CatalogId, type TenantId, type TrackId } from '@earmark/kernel';
import type { NewProfile } from '@earmark/transition';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PgCatalogStore } from './catalog-store.js';
import { PgFeedbackStore } from './feedback-store.js';
import { openTestDatabase, type TestDatabase } from './testing.js';
import { PgTrackAudioStore } from './track-audio-store.js';
import { PgTrackStore } from './track-store.js';
import { PgTransitionStore } from './transition-store.js';

let test: TestDatabase;
let store: PgTransitionStore;
let tracks: PgTrackStore;
let tenantId: TenantId;
let catalogId: CatalogId;
let trackId: TrackId;

const audio = {
  durationMs: 60_000,
  contentHash: 'a'.repeat(64),
  fingerprintConfigId: 'emfp-1',
  peaks: new Uint8Array(),
};
const newTrack = async (title: string): Promise<TrackId> =>
  (
    await tracks.create(
      { tenantId, catalogId, metadata: { title, artists: [], refs: [], explicit: true } },
      audio,
    )
  ).id;

const edge = { levelDb: -20, spectrum: [1, -1] };
const seam = (side: 'tail' | 'head', atMs: number, value: number) => ({
  side,
  atMs,
  strength: 1,
  features: Float32Array.of(value, value),
  code: Float32Array.of(value, 0.5, -0.25),
});
const profile: NewProfile = {
  analysisVersion: 'analysis@1',
  modelId: 'model@1',
  loudnessCurve: [-14.5, -70],
  edges: { start: edge, end: edge },
  analysis: {
    durationMs: 60_000,
    tempoBpm: 120.5,
    tempoConfidence: 0.9,
    beatsMs: [10, 510, 1_010],
    downbeatsMs: [10],
    key: { tonic: 'Eb', mode: 'minor', strength: 0.8 },
    loudness: { integratedLufs: -14, rangeLu: 5, truePeakDbtp: -1 },
    sections: [{ startMs: 0, endMs: 60_000, label: 'A' }],
    cues: [{ kind: 'in', atMs: 10, strength: 1 }],
    tuningCents: 3,
    quality: {} as NewProfile['analysis']['quality'],
  },
  seams: [seam('head', 0, 0.1), seam('head', 20_000, 0.2), seam('tail', 59_000, 0.3)],
};

beforeAll(async () => {
  test = await openTestDatabase();
  const { database } = test;
  store = new PgTransitionStore(database);
  tracks = new PgTrackStore(database);
  const catalogs = new PgCatalogStore(database.pool);
  tenantId = await catalogs.ensureTenant('t');
  catalogId = (await catalogs.ensureCatalog(tenantId, 'main')).id;
});
afterAll(() => test.end());
beforeEach(async () => {
  trackId = await newTrack('one');
});

describe('PgTransitionStore', () => {
  it('gives back what was stored', async () => {
    expect(await store.save(tenantId, trackId, profile)).toBe(true);
    const [found] = await store.find(tenantId, [trackId]);
    expect(found).toMatchObject({
      trackId,
      catalogId,
      tempoBpm: 120.5,
      beatsMs: [10, 510, 1_010],
      downbeatsMs: [10],
      key: { tonic: 'Eb', mode: 'minor', strength: 0.8 },
      loudness: profile.analysis.loudness,
      loudnessCurve: [-14.5, -70],
      edges: profile.edges,
      sections: profile.analysis.sections,
      cues: profile.analysis.cues,
    });
    const heads = await store.seams(tenantId, [trackId], 'head');
    expect(heads.map(({ ordinal, atMs }) => [ordinal, atMs])).toEqual([
      [0, 0],
      [1, 20_000],
    ]);
    expect(heads[1]?.code).toEqual(Float32Array.of(0.2, 0.5, -0.25));
    expect(await store.seams(tenantId, [trackId], 'tail')).toMatchObject([{ side: 'tail', atMs: 59_000 }]);
    expect(await store.facts(tenantId, [trackId])).toEqual([
      { id: trackId, title: 'one', artists: [], explicit: true },
    ]);
  });

  it('notes each change in order, the latest one of a track only, removals too', async () => {
    const other = await newTrack('two');
    await store.save(tenantId, trackId, profile);
    await store.save(tenantId, other, profile);
    await store.save(tenantId, trackId, { ...profile, seams: profile.seams.slice(0, 1) });
    const all = await store.changes(0, 1_000);
    const last = all.slice(-2);
    expect(last.map((change) => change.trackId)).toEqual([other, trackId]);
    expect(last[1]?.heads?.heads).toHaveLength(1);
    expect(last[0]?.heads).toMatchObject({ modelId: 'model@1', tempoBpm: 120.5, catalogId });
    await tracks.remove(tenantId, other);
    const after = await store.changes(last[1]?.sequence ?? 0, 10);
    expect(after).toMatchObject([{ trackId: other }]);
    expect(after[0]?.heads).toBeUndefined();
    expect(await store.find(tenantId, [other])).toEqual([]);
  });

  it('says which tracks have no profile of the present versions', async () => {
    const versions = { analysisVersion: 'analysis@1', modelId: 'model@1' };
    const missing = async (): Promise<readonly TrackId[]> =>
      store.missing(tenantId, versions, { limit: 1_000 });
    expect(await missing()).toContain(trackId);
    expect(await store.isCurrent(tenantId, trackId, versions)).toBe(false);
    await store.save(tenantId, trackId, profile);
    expect(await missing()).not.toContain(trackId);
    expect(await store.isCurrent(tenantId, trackId, versions)).toBe(true);
    expect(await store.isCurrent(tenantId, trackId, { ...versions, modelId: 'model@2' })).toBe(false);
  });

  it('gives seams the codes of another model from their features, or leaves them all', async () => {
    const versions = { analysisVersion: 'analysis@1', modelId: 'model@2' };
    await store.save(tenantId, trackId, profile);
    const double = (features: Float32Array): Float32Array => features.map((value) => 2 * value);
    expect(await store.recode(tenantId, trackId, versions, () => undefined)).toBe(false);
    expect(await store.isCurrent(tenantId, trackId, versions)).toBe(false);
    expect(await store.recode(tenantId, trackId, versions, double)).toBe(true);
    expect(await store.isCurrent(tenantId, trackId, versions)).toBe(true);
    const heads = await store.seams(tenantId, [trackId], 'head');
    expect(heads.map(({ code }) => code)).toEqual([Float32Array.of(0.2, 0.2), Float32Array.of(0.4, 0.4)]);
    const last = (await store.changes(0, 1_000)).at(-1);
    expect(last).toMatchObject({ trackId, heads: { modelId: 'model@2' } });
  });

  it('stores nothing for a track that is gone', async () => {
    await tracks.remove(tenantId, trackId);
    expect(await store.save(tenantId, trackId, profile)).toBe(false);
  });
});

describe('PgFeedbackStore', () => {
  it('sums what listeners did and remembers a session, the latest first', async () => {
    const feedback = new PgFeedbackStore(test.database);
    const [a, b] = [await newTrack('a'), await newTrack('b')];
    const event = { fromTrackId: trackId, toTrackId: a, outcome: 'skip' as const };
    await feedback.add(tenantId, [event, { ...event, session: 's' }]);
    await feedback.add(tenantId, [{ fromTrackId: trackId, toTrackId: b, outcome: 'complete', session: 's' }]);
    const pairs = await feedback.pairsFrom(tenantId, trackId);
    expect([...pairs]).toEqual(
      expect.arrayContaining([
        [a, { skips: 2, completes: 0 }],
        [b, { skips: 0, completes: 1 }],
      ]),
    );
    expect(await feedback.recent(tenantId, 's', 10)).toEqual([b, a]);
    await tracks.remove(tenantId, a);
    expect((await feedback.pairsFrom(tenantId, trackId)).has(a)).toBe(false);
  });

  it('takes nothing where one track is unknown', async () => {
    const feedback = new PgFeedbackStore(test.database);
    const other = await newTrack('other');
    const unknown = `trk_${'0'.repeat(26)}` as TrackId;
    const good = { fromTrackId: trackId, toTrackId: other, outcome: 'skip' as const };
    await expect(feedback.add(tenantId, [good, { ...good, toTrackId: unknown }])).rejects.toThrow(
      InvalidValueError,
    );
    expect((await feedback.pairsFrom(tenantId, trackId)).size).toBe(0);
  });
});

describe('PgTrackAudioStore', () => {
  it('knows where audio lies and whether a copy is still needed', async () => {
    const places = new PgTrackAudioStore(test.database.pool);
    expect(await places.find(tenantId, trackId)).toBeUndefined();
    await places.save(tenantId, trackId, { path: 'audio/aa/aaa', kept: true });
    expect(await places.find(tenantId, trackId)).toEqual({ path: 'audio/aa/aaa', kept: true });
    expect(await places.isKept('audio/aa/aaa')).toBe(true);
    await tracks.remove(tenantId, trackId);
    expect(await places.isKept('audio/aa/aaa')).toBe(false);
  });
});
