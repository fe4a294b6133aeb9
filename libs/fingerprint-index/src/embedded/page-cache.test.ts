import { describe, expect, it } from 'vitest';
import { CachedPages, PageCache } from './page-cache.js';
import { pageWords } from './page-format.js';

const page = (fill: number): Uint32Array => new Uint32Array(pageWords).fill(fill);

/** What the cache holds of a page, or nothing. */
function read(cache: PageCache, owner: CachedPages, number: number): number | undefined {
  const slot = owner.slots[number] - 1;
  return slot < 0 ? undefined : cache.slabs[PageCache.slab(slot)][PageCache.word(slot)];
}

describe('the page cache', () => {
  // The least size of the cache.
  const capacity = 1024;

  it('keeps pages of several files apart', () => {
    const cache = new PageCache(0);
    const [a, b] = [new CachedPages(10), new CachedPages(10)];
    cache.insert(a, 3, page(1));
    cache.insert(b, 3, page(2));
    expect([read(cache, a, 3), read(cache, b, 3), read(cache, a, 4)]).toEqual([1, 2, undefined]);
    expect(cache.bytes).toBe(2 * 4096);
  });

  it('stays within its size and prefers pages in use', () => {
    const cache = new PageCache(0);
    const file = new CachedPages(3 * capacity);
    for (let i = 0; i < 3 * capacity; i++) {
      cache.insert(file, i, page(i));
      const slot = file.slots[0] - 1;
      if (slot >= 0) cache.used[slot] = 1;
    }
    expect(cache.bytes).toBe(capacity * 4096);
    expect(read(cache, file, 0)).toBe(0);
    expect(read(cache, file, 3 * capacity - 1)).toBe(3 * capacity - 1);
    const kept = Array.from({ length: 3 * capacity }, (_, i) => i).filter(
      (i) => read(cache, file, i) !== undefined,
    );
    expect(kept).toHaveLength(capacity);
    expect(kept.every((i) => read(cache, file, i) === i)).toBe(true);
  });

  it('forgets a file that is closed', () => {
    const cache = new PageCache(0);
    const [a, b] = [new CachedPages(2), new CachedPages(2 * capacity)];
    cache.insert(a, 1, page(1));
    cache.drop(a);
    expect(read(cache, a, 1)).toBeUndefined();
    for (let i = 0; i < 2 * capacity; i++) cache.insert(b, i, page(i));
    expect(read(cache, b, 2 * capacity - 1)).toBe(2 * capacity - 1);
  });
});
