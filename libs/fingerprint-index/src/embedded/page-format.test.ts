import { seededRandom } from '@earmark/kernel';
import { describe, expect, it } from 'vitest';
import { HitBatch } from './hits.js';
import { exactPostings, roundingOfKey, type PostingRounding } from './posting-rounding.js';
import { findInPage, newPagePostings, PageWriter, pageWords, readPage } from './page-format.js';

type Posting = [hash: number, position: number, detail: number];

function makePages(
  postings: readonly Posting[],
  positionBits: number,
  roundingOf: (hash: number) => PostingRounding = () => exactPostings,
): Uint32Array[] {
  const pages: Uint32Array[] = [];
  const writer = new PageWriter(positionBits, roundingOf, (page) => {
    const padded = new Uint32Array(pageWords + 1);
    padded.set(page);
    pages.push(padded);
  });
  for (const [hash, position, detail] of postings) writer.push(hash, position, detail);
  writer.finish();
  return pages;
}

function sorted(postings: Posting[]): Posting[] {
  return postings.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
}

function readAll(pages: readonly Uint32Array[]): Posting[] {
  const out: Posting[] = [];
  const columns = newPagePostings();
  for (const page of pages) {
    const count = readPage(page, 0, columns);
    for (let i = 0; i < count; i++) out.push([columns.hashes[i], columns.positions[i], columns.details[i]]);
  }
  return out;
}

function lookUp(pages: readonly Uint32Array[], hash: number): Posting[] {
  const hits = new HitBatch(1);
  const probes = { hashes: Uint32Array.of(hash), entries: Uint32Array.of(7), count: 1 };
  for (const page of pages) findInPage(page, 0, probes, 0, 1, hits);
  const at = (i: number): Posting => [hash, hits.positions[i], hits.details[i]];
  return Array.from({ length: hits.count }, (_, i) => at(i));
}

/** Some hashes are hot, most are rare, as in music. */
function skewed(count: number, seed: number, positionBits: number): Posting[] {
  const random = seededRandom(seed);
  return sorted(
    Array.from({ length: count }, (): Posting => {
      const rank = Math.floor(3000 * random.next() ** 4);
      return [
        Math.imul(rank + 1, 0x9e3779b1) >>> 0,
        Math.floor(random.next() * 2 ** positionBits),
        Math.floor(random.next() * 256),
      ];
    }),
  );
}

describe('pages of postings', () => {
  it.each([10, 24, 32])('give back what was written, positions of %i bits', (positionBits) => {
    const postings = skewed(20_000, positionBits, positionBits);
    expect(String(readAll(makePages(postings, positionBits)))).toBe(String(postings));
  });

  it('find every posting of a hash, also when it spans blocks and pages, and nothing for others', () => {
    const postings = skewed(20_000, 3, 28);
    const pages = makePages(postings, 28);
    expect(pages.length).toBeGreaterThan(10);
    const byHash = Map.groupBy(postings, ([hash]) => hash);
    for (const [hash, expected] of byHash) {
      if (String(lookUp(pages, hash)) !== String(expected)) expect.fail(`hash ${hash}`);
      if (String(lookUp(pages, hash + 1)) !== String(byHash.get(hash + 1) ?? []))
        expect.fail(`after ${hash}`);
    }
  });

  it('find the postings of many hashes in one pass, twice for a hash asked for twice', () => {
    const postings = skewed(20_000, 4, 28);
    const pages = makePages(postings, 28);
    const random = seededRandom(11);
    const wanted = [...new Set(postings.map(([hash]) => hash))].filter(() => random.next() < 0.5);
    const asked = Uint32Array.from([
      ...wanted,
      ...wanted.slice(0, 400),
      ...wanted.map((hash) => hash + 1),
    ]).sort();
    const probes = { hashes: asked, entries: asked.map((_, i) => i), count: asked.length };
    const hits = new HitBatch(1);
    for (const page of pages) findInPage(page, 0, probes, 0, asked.length, hits);
    const found = Array.from({ length: hits.count }, (_, i) => [
      hits.entries[i],
      hits.positions[i],
      hits.details[i],
    ]);
    const byHash = Map.groupBy(postings, ([hash]) => hash);
    const expected = [...asked].flatMap((hash, entry) =>
      (byHash.get(hash) ?? []).map(([, position, detail]) => [entry, position, detail]),
    );
    const text = (list: number[][]): string => list.map(String).sort().join('\n');
    expect(text(found) === text(expected)).toBe(true);
  });

  it('keep extremes: equal postings, the largest and smallest hash, gaps that a Rice code must escape', () => {
    const postings: Posting[] = [[0, 0, 0]];
    for (let i = 0; i < 70; i++) postings.push([5, i, 1]);
    postings.push([5, 0xffff_fffe, 2], [5, 0xffff_fffe, 2], [6, 0xffff_ffff, 3], [0xffff_ffff, 0, 255]);
    const pages = makePages(postings, 32);
    expect(readAll(pages)).toEqual(postings);
    expect(lookUp(pages, 5)).toEqual(postings.filter(([hash]) => hash === 5));
    expect(lookUp(pages, 0xffff_ffff)).toEqual([[0xffff_ffff, 0, 255]]);
    expect(lookUp(pages, 0)).toEqual([[0, 0, 0]]);
  });

  it('keep the middle of what their rounding leaves open, each kind on pages of its own', () => {
    const postings = skewed(20_000, 6, 28);
    const pages = makePages(postings, 28, roundingOfKey);
    const kept = readAll(pages);
    expect(kept.length).toBe(postings.length);
    kept.forEach(([hash, position, detail], i) => {
      const [sameHash, exactPosition, exactDetail] = postings[i];
      const { position: bits, details } = roundingOfKey(hash);
      const off = (a: number, b: number, left: number): boolean => Math.abs(a - b) > 2 ** left / 2;
      if (
        hash !== sameHash ||
        off(position, exactPosition, bits) ||
        off(detail >> 4, exactDetail >> 4, details[0]) ||
        off(detail & 15, exactDetail & 15, details[1])
      )
        expect.fail(`${String(kept[i])} for ${String(postings[i])}`);
    });
    expect(readAll(makePages(kept, 28, roundingOfKey))).toEqual(kept);
    const byHash = Map.groupBy(kept, ([hash]) => hash);
    for (const [hash, expected] of byHash)
      if (String(lookUp(pages, hash)) !== String(expected)) expect.fail(`hash ${hash}`);
    const exact = makePages(postings, 28);
    expect(pages.length).toBeLessThan(exact.length);
  });

  it('waste less than 2 % of a page', () => {
    const pages = makePages(skewed(50_000, 9, 24), 24);
    const first = pages[1].subarray(0, pageWords);
    let empty = 0;
    while (first[pageWords - 1 - empty] === 0) empty++;
    expect(empty).toBeLessThan(0.02 * pageWords);
  });
});
