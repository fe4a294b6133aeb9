import { seededRandom, ShapeError, type CatalogId, type TenantId, type TrackId } from '@earmark/kernel';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { HeadSearch } from './head-search.js';
import type { HeadChange } from './transition-store.js';

const model = { id: 'contract@1.0.0', dimensions: 24 };
const [tenantId, otherTenant] = ['ten_a', 'ten_b'] as [TenantId, TenantId];
const tracks = 300;
const headsOfTrack = 3;

/**
 * What every adapter of {@link HeadSearch} does, as vitest tests.
 *
 * @param name of the adapter
 * @param open opens an index for a model, empty the first time in a test
 */
export function describeHeadSearch(
  name: string,
  open: (forModel: typeof model) => Promise<HeadSearch>,
): void {
  describe(`${name} as a search of heads`, () => {
    let heads: HeadSearch;
    let random: { next(): number };

    beforeEach(async () => {
      random = seededRandom(5);
      heads = await open(model);
    });
    afterEach(() => heads.close());

    /** A vector of some length up to 1, with a value beyond the search vector as codes have them. */
    const vector = (length = 1): Float32Array => {
      const values = Float32Array.from({ length: model.dimensions }, () => random.next() - 0.5);
      const norm = Math.hypot(...values);
      return Float32Array.of(...values.map((value) => (value * length) / norm), 7);
    };
    const idOf = (n: number): TrackId => `trk_${String(n).padStart(4, '0')}` as TrackId;
    const change = (sequence: number, n: number, codes: readonly Float32Array[]): HeadChange => ({
      sequence,
      tenantId,
      trackId: idOf(n),
      heads: {
        tenantId,
        trackId: idOf(n),
        catalogId: (n % 2 === 0 ? 'even' : 'odd') as CatalogId,
        modelId: model.id,
        ...(n % 10 !== 0 && { tempoBpm: 60 + (n % 120) }),
        heads: codes.map((code, ordinal) => ({ ordinal, atMs: ordinal * 10_000, strength: 1, code })),
      },
    });
    /** Fills the index; codes of shorter length lose against longer ones of the same direction. */
    const fill = async (): Promise<readonly HeadChange[]> => {
      const changes = Array.from({ length: tracks }, (_, n) =>
        change(
          n + 1,
          n,
          Array.from({ length: headsOfTrack }, () => vector(0.5 + random.next() / 2)),
        ),
      );
      await heads.apply(changes, 0);
      return changes;
    };
    const product = (a: Float32Array, b: Float32Array): number =>
      a.subarray(0, model.dimensions).reduce((sum, value, i) => sum + value * b[i], 0);
    const idsOf = (hits: readonly { trackId: TrackId }[]): TrackId[] => hits.map(({ trackId }) => trackId);

    it('finds nothing when empty, and remembers how far it was fed', async () => {
      expect(await heads.search(tenantId, vector(), 5)).toEqual([]);
      expect(await heads.appliedSequence()).toBe(0);
      await heads.apply([change(7, 1, [vector()])], 0);
      expect(await heads.appliedSequence()).toBe(7);
    });

    it('finds each track once, at its best entry point, in nearly exact order of dot products', async () => {
      const changes = await fill();
      for (let n = 0; n < 5; n++) {
        const tail = vector();
        const hits = await heads.search(tenantId, tail, 20);
        const exact = changes
          .map(({ trackId, heads: known }) => {
            const products = (known?.heads ?? []).map(({ code }) => product(tail, code));
            const best = Math.max(...products);
            return { trackId, best, ordinal: products.indexOf(best) };
          })
          .sort((a, b) => b.best - a.best);
        expect(new Set(idsOf(hits)).size).toBe(20);
        const wanted = new Set(idsOf(exact.slice(0, 20)));
        expect(hits.filter(({ trackId }) => wanted.has(trackId)).length).toBeGreaterThanOrEqual(18);
        for (const [i, hit] of hits.entries()) expect(hit.similarity).toBeCloseTo(exact[i].best, 1);
        const [first] = hits;
        expect(first.ordinal).toBe(exact.find(({ trackId }) => trackId === first.trackId)?.ordinal);
        expect(first.atMs).toBe(first.ordinal * 10_000);
      }
    });

    it('finds as many tracks as there are', async () => {
      await fill();
      expect(await heads.search(tenantId, vector(), 1_000)).toHaveLength(tracks);
    });

    it('applies filters before it counts', async () => {
      await fill();
      const odd = 'odd' as CatalogId;
      const inOdd = await heads.search(tenantId, vector(), 60, { catalogIds: [odd], latestMs: 5_000 });
      expect(inOdd).toHaveLength(60);
      expect(inOdd.every(({ catalogId, ordinal }) => catalogId === odd && ordinal === 0)).toBe(true);
      const only = [idOf(3), idOf(9), idOf(40), 'trk_none' as TrackId];
      const without = new Set([idOf(9)]);
      const named = await heads.search(tenantId, vector(), 10, { only, without });
      expect(idsOf(named).sort()).toEqual([idOf(3), idOf(40)]);
      expect(await heads.search(tenantId, vector(), 10, { only: [] })).toEqual([]);
      const rest = await heads.search(tenantId, vector(), tracks, { without });
      expect(rest).toHaveLength(tracks - 1);
      expect(await heads.search(tenantId, vector(), 10, { catalogIds: [] })).toHaveLength(10);
    });

    it('counts half and double tempo, and leaves out tracks without a tempo', async () => {
      await fill();
      const hits = await heads.search(tenantId, vector(), tracks, { tempoBpm: { min: 80, max: 84 } });
      const tempos = new Set(hits.map(({ tempoBpm }) => tempoBpm));
      expect(tempos).toEqual(new Set([81, 82, 83, 84, 161, 162, 163, 164, 165, 166, 167, 168]));
    });

    it('keeps tenants apart', async () => {
      await fill();
      expect(await heads.search(otherTenant, vector(), 5)).toEqual([]);
    });

    it('replaces changed tracks and forgets removed ones and those of another model', async () => {
      const changes = await fill();
      const tail = vector();
      const [, old] = changes;
      if (old.heads === undefined) throw new Error('a change that adds has heads');
      await heads.apply(
        [
          change(1_001, 5, [tail]),
          { sequence: 1_002, tenantId, trackId: idOf(6) },
          { ...old, sequence: 1_003, heads: { ...old.heads, modelId: 'contract@2.0.0' } },
          { sequence: 1_004, tenantId, trackId: 'trk_unknown' as TrackId },
        ],
        tracks,
      );
      const hits = await heads.search(tenantId, tail, tracks);
      expect(hits[0]).toMatchObject({ trackId: idOf(5), ordinal: 0 });
      expect(hits[0].similarity).toBeCloseTo(1, 1);
      expect(hits).toHaveLength(tracks - 2);
      expect(idsOf(hits)).not.toContain(idOf(6));
      expect(idsOf(hits)).not.toContain(old.trackId);
      const best = await heads.search(tenantId, vector(), 1, { only: [idOf(5)] });
      expect(best[0].ordinal).toBe(0);
      expect(await heads.appliedSequence()).toBe(1_004);
    });

    it('takes what it was given before once more', async () => {
      const changes = await fill();
      await heads.apply([{ sequence: 1_001, tenantId, trackId: idOf(6) }], tracks);
      await heads.apply(changes.slice(0, 5), 0);
      expect(await heads.search(tenantId, vector(), tracks)).toHaveLength(tracks - 1);
      expect(await heads.appliedSequence()).toBe(1_001);
    });

    it('refuses codes that are too short', async () => {
      await expect(heads.apply([change(1, 1, [new Float32Array(3)])], 0)).rejects.toThrow(ShapeError);
    });
  });
}
