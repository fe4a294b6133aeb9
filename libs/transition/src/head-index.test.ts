import { ShapeError, seededRandom, type CatalogId, type TenantId, type TrackId } from '@earmark/kernel';
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { HeadRows } from './head-rows.js';
import { HeadIndex } from './head-index.js';
import type { TrackHeads } from './transition-store.js';

const dimensions = 40;

function unit(random: { next(): number }): Float32Array {
  const vector = Float32Array.from({ length: dimensions }, () => random.next() - 0.5);
  const norm = Math.hypot(...vector);
  return vector.map((value) => value / norm);
}

const track = (n: number, codes: readonly Float32Array[], tempoBpm?: number): TrackHeads => ({
  tenantId: 'ten' as TenantId,
  catalogId: (n % 2 === 0 ? 'even' : 'odd') as CatalogId,
  trackId: `t${String(n).padStart(4, '0')}` as TrackId,
  modelId: 'm@1',
  ...(tempoBpm === undefined ? {} : { tempoBpm }),
  heads: codes.map((code, ordinal) => ({ ordinal, atMs: ordinal * 10_000, strength: 1, code })),
});

describe('HeadRows', () => {
  it('embeds the WASM that the AssemblyScript source gives', () => {
    const script = fileURLToPath(new URL('../../dsp/assembly/build.mjs', import.meta.url));
    const library = fileURLToPath(new URL('..', import.meta.url));
    const words = [script, library, 'rows', 'ROWS_BASE64', '--check'];
    expect(execFileSync(process.execPath, words, { encoding: 'utf8' })).toContain('current');
  });

  it('finds the same rows in WebAssembly and in TypeScript, also after growing and removing', () => {
    const random = seededRandom(2);
    const value = (): number => Math.round((random.next() - 0.5) * 254);
    const values = (): Int8Array => Int8Array.from({ length: dimensions }, value);
    const rows = Array.from({ length: 1500 }, (_, i) => ({
      values: values(),
      scale: Math.fround(random.next()),
      atMs: i,
      tempoBpm: i % 5 === 0 ? NaN : 60 + (i % 100),
    }));
    const query = values();
    const bands = Float64Array.of(70, 80, 140, 150);
    const [wasm, script] = (['wasm', 'js'] as const).map((backend) => {
      const all = new HeadRows(dimensions, backend);
      const numbers = rows.map((row) => all.push(row));
      const listed = Int32Array.from({ length: 300 }, (_, i) => numbers[4 * i]);
      const conditions = [
        { latestMs: Infinity },
        { latestMs: 900, bands },
        { latestMs: Infinity, bands, listed },
        { latestMs: Infinity, listed: new Int32Array(0) },
      ];
      for (const n of [1_499, 700, 3]) all.remove(numbers[n]);
      return conditions.map((condition) => {
        const found = all.nearest(query, 50, condition);
        return [...found.rows]
          .map((row, i) => ({ row, similarity: found.similarities[i], atMs: all.placeOf(row) }))
          .sort((a, b) => b.similarity - a.similarity);
      });
    });
    expect(wasm).toEqual(script);
    expect(wasm.map((found) => found.length)).toEqual([50, 50, 48, 0]);
    const products = rows
      .filter(({ atMs }) => ![1_499, 700, 3].includes(atMs))
      .map((row) => ({
        ...row,
        product: query.reduce((sum, q, d) => sum + q * row.values[d], 0) * row.scale,
      }));
    const best = products.sort((a, b) => b.product - a.product).slice(0, 50);
    expect(wasm[0].map(({ atMs }) => atMs)).toEqual(best.map(({ atMs }) => atMs));
  });
});

describe('HeadIndex', () => {
  const random = seededRandom(1);
  const tracks = Array.from({ length: 600 }, (_, n) =>
    track(n, [unit(random), unit(random), unit(random)], 80 + (n % 80)),
  );
  const index = new HeadIndex(dimensions);
  for (const one of tracks) index.set(one);
  const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, v, i) => sum + v * (b[i] ?? 0), 0);
  const exact = (tail: Float32Array): { trackId: string; value: number }[] =>
    tracks
      .map(({ trackId, heads }) => ({
        trackId,
        value: Math.max(...heads.map(({ code }) => dot(tail, code))),
      }))
      .sort((a, b) => b.value - a.value);

  it('finds as many tracks as wanted, however many rows of a few lie before them', () => {
    const tail = unit(random);
    const crowded = new HeadIndex(dimensions);
    crowded.set(
      track(
        0,
        Array.from({ length: 200 }, () => tail),
      ),
    );
    for (let n = 1; n < 40; n++) crowded.set(track(n, [unit(random)]));
    const without = new Set(['t0000' as TrackId]);
    expect(crowded.search(tail, 5)).toHaveLength(5);
    expect(crowded.search(tail, 5, { without })).toHaveLength(5);
    expect(crowded.search(tail, 100, { without })).toHaveLength(39);
  });

  it('finds each track once, at its best entry point, in nearly exact order', () => {
    const tail = unit(random);
    const hits = index.search(tail, 20);
    const wanted = exact(tail).slice(0, 20);
    expect(new Set(hits.map(({ trackId }) => trackId)).size).toBe(20);
    const common = hits.filter(({ trackId }) => wanted.some((one) => one.trackId === trackId));
    expect(common.length).toBeGreaterThanOrEqual(18);
    for (const [i, hit] of hits.entries()) expect(hit.similarity).toBeCloseTo(wanted[i]?.value ?? 0, 1);
    const best = tracks.find(({ trackId }) => trackId === hits[0]?.trackId);
    const values = best?.heads.map(({ code }) => dot(tail, code)) ?? [];
    expect(hits[0]?.ordinal).toBe(values.indexOf(Math.max(...values)));
  });

  it('applies filters before it counts', () => {
    const hits = index.search(unit(random), 30, { catalogIds: ['odd' as CatalogId], latestMs: 5_000 });
    expect(hits).toHaveLength(30);
    expect(hits.every(({ catalogId, ordinal }) => catalogId === 'odd' && ordinal === 0)).toBe(true);
  });

  it('looks only at the tracks named', () => {
    const only = [tracks[3], tracks[9]].map((one) => one.trackId);
    expect(
      index
        .search(unit(random), 10, { only })
        .map(({ trackId }) => trackId)
        .sort(),
    ).toEqual(only);
  });

  it('forgets removed tracks and replaces changed ones', () => {
    const own = new HeadIndex(dimensions);
    for (const one of tracks.slice(0, 50)) own.set(one);
    for (const one of tracks.slice(10, 40)) own.remove(one.trackId);
    const tail = unit(random);
    own.set(track(5, [tail]));
    expect([own.tracks, own.heads]).toEqual([20, 19 * 3 + 1]);
    const hits = own.search(tail, 50);
    expect(hits).toHaveLength(20);
    expect(hits[0]).toMatchObject({ trackId: 't0005', ordinal: 0 });
    expect(hits[0]?.similarity).toBeGreaterThan(0.98);
    own.remove('unknown' as TrackId);
    expect(own.tracks).toBe(20);
  });

  it('refuses codes that are too short', () => {
    expect(() => index.set(track(1, [new Float32Array(3)]))).toThrow(ShapeError);
  });
});
