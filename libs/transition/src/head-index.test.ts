import { ShapeError, seededRandom, type CatalogId, type TenantId, type TrackId } from '@earmark/kernel';
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { DotRows } from './dot-rows.js';
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

describe('DotRows', () => {
  it('embeds the WASM that the AssemblyScript source gives', () => {
    const script = fileURLToPath(new URL('../../dsp/assembly/build.mjs', import.meta.url));
    const library = fileURLToPath(new URL('..', import.meta.url));
    const words = [script, library, 'dots', 'DOTS_BASE64', '--check'];
    expect(execFileSync(process.execPath, words, { encoding: 'utf8' })).toContain('current');
  });

  it('gives the same products in WebAssembly and in TypeScript, also after growing', () => {
    const random = seededRandom(2);
    const value = (): number => Math.round((random.next() - 0.5) * 254);
    const rows = Array.from({ length: 1500 }, () => Int8Array.from({ length: dimensions }, value));
    const query = Int8Array.from({ length: dimensions }, value);
    const [wasm, script] = (['wasm', 'js'] as const).map((backend) => {
      const all = new DotRows(dimensions, backend);
      rows.forEach((row, i) => all.set(i, row));
      for (let i = 0; i < rows.length; i++) all.chosen[i] = rows.length - 1 - i;
      return Array.from(all.dots(query, rows.length));
    });
    expect(wasm).toEqual(script);
    expect(wasm?.[rows.length - 8]).toBe(query.reduce((sum, q, i) => sum + q * (rows[7]?.[i] ?? 0), 0));
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
