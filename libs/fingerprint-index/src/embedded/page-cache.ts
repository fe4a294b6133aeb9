import { pageWords } from './page-format.js';

/** Pages of one slab; a slab is 4 MiB, allocated when the ones before it are full. */
const slabBits = 10;

/** Which pages of one file are in the cache. */
export class CachedPages {
  /** For each page its slot plus one, or 0. */
  readonly slots: Int32Array;

  constructor(pages: number) {
    this.slots = new Int32Array(pages);
  }
}

/**
 * Keeps pages of all segments in memory, up to a number of bytes, and forgets those not used lately (clock algorithm).
 * One index has one cache.
 */
export class PageCache {
  /** Each holds 1,024 pages and one more word, which bit readers may touch. */
  readonly slabs: Uint32Array[] = [];
  private readonly capacity: number;
  private owners: (CachedPages | undefined)[] = [];
  private pages: Int32Array;
  /** Set to 1 on every use of a slot. */
  readonly used: Uint8Array;
  private hand = 0;
  private filled = 0;

  constructor(bytes: number) {
    this.capacity = Math.max(1 << slabBits, Math.floor(bytes / (pageWords * 4)));
    this.pages = new Int32Array(this.capacity);
    this.used = new Uint8Array(this.capacity);
  }

  /** Bytes in use. */
  get bytes(): number {
    return this.filled * pageWords * 4;
  }

  /** Slab of a slot. */
  static slab(slot: number): number {
    return slot >>> slabBits;
  }

  /** Word inside its slab at which a slot starts. */
  static word(slot: number): number {
    return (slot & ((1 << slabBits) - 1)) * pageWords;
  }

  /** Copies a page in, in place of one that was not used lately. */
  insert(owner: CachedPages, page: number, words: Uint32Array): void {
    if (owner.slots[page] !== 0) return;
    const slot = this.takeSlot();
    const slab = PageCache.slab(slot);
    this.slabs[slab] ??= new Uint32Array((pageWords << slabBits) + 1);
    this.slabs[slab].set(words, PageCache.word(slot));
    this.owners[slot] = owner;
    this.pages[slot] = page;
    // A page has to be used once more to outlive the next round: a scan does not push out what is hot.
    this.used[slot] = 0;
    owner.slots[page] = slot + 1;
  }

  /** Forgets all pages of a file that is no longer read. */
  drop(owner: CachedPages): void {
    for (let page = 0; page < owner.slots.length; page++) {
      const slot = owner.slots[page] - 1;
      if (slot < 0) continue;
      this.owners[slot] = undefined;
      this.used[slot] = 0;
      owner.slots[page] = 0;
    }
  }

  private takeSlot(): number {
    if (this.filled < this.capacity) return this.filled++;
    for (;;) {
      const slot = this.hand;
      this.hand = (this.hand + 1) % this.capacity;
      if (this.used[slot] === 1) {
        this.used[slot] = 0;
        continue;
      }
      const owner = this.owners[slot];
      if (owner) owner.slots[this.pages[slot]] = 0;
      return slot;
    }
  }
}
