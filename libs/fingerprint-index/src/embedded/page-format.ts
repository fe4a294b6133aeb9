import type { HitBatch, ProbeList } from './hits.js';

/**
 * A page holds postings in order of (hash, position), 4,096 bytes that can be checked and read alone:
 *
 * | word | content |
 * |---|---|
 * | 0 | CRC-32 of the rest of the page |
 * | 1 | blocks in the page (bits 0-9), bits of a position (10-15), bits of a detail (16-19) |
 * | 2 | postings in the page |
 * | 3 + 2i | hash of the first posting of block i |
 * | 4 + 2i | of block i: where its bits start (0-14), Rice parameter of positions (15-19) and of hashes (20-24), postings (25-31) |
 * | then | bit stream, highest bit of a word first |
 *
 * A block is up to 64 postings. Its first posting is a position and a detail; every other one starts with a flag: 0 and
 * the Rice-coded distance to the position before (same hash), or 1, the Rice-coded distance to the hash before less one,
 * and a position; then a detail. A Rice code of k bits is the quotient by 2^k in unary (ones, then a zero) and the k low
 * bits; 20 ones mean that the value follows in 32 bits.
 *
 * @see S. Golomb, "Run-length encodings", IEEE Trans. Inf. Theory 12(3), 1966; R. F. Rice, JPL 79-22, 1979
 */
export const pageBytes = 4096;
export const pageWords = pageBytes / 4;
export const postingsPerBlock = 64;
const headerWords = 3;
const escape = 20;
/** Keeps `quotient << parameter` below 2^31 for every quotient that is not escaped. */
const largestRice = 26;

/** `length` (0 to 32) bits of the stream at word offset `base`, starting `at` bits in. */
function readBits(words: Uint32Array, base: number, at: number, length: number): number {
  const i = base + (at >>> 5);
  const shift = at & 31;
  const window = (words[i] << shift) | ((words[i + 1] >>> 1) >>> (31 - shift));
  return length === 0 ? 0 : window >>> (32 - length);
}

/**
 * Appends to `hits` what a page holds of the probes `from` up to `to`: one pass through the page, which jumps over
 * blocks that no probe falls into.
 *
 * @param words holds the page from word `base` on, and one more word that may be read but has no effect
 */
export function findInPage(
  words: Uint32Array,
  base: number,
  probes: ProbeList,
  from: number,
  to: number,
  hits: HitBatch,
): void {
  const info = words[base + 1];
  const blocks = info & 1023;
  const positionBits = (info >>> 10) & 63;
  const detailBits = (info >>> 16) & 15;
  const firstPostingBits = positionBits + detailBits;
  const directory = base + headerWords;
  const keys = probes.hashes;
  let block = -1;
  let current = 0;
  let positionRice = 0;
  let hashRice = 0;
  let at = 0;
  let left = 0;
  // True when the stream stands before position and detail of the first posting of `current`.
  let fresh = false;
  for (let probe = from; probe < to; probe++) {
    const hash = keys[probe];
    const start = hits.count;
    // The last block that starts with a smaller hash may hold the first posting; without one, the first block may.
    let low = block + 1;
    let high = blocks;
    if (low < high && words[directory + 2 * low] >= hash) high = low;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (words[directory + 2 * middle] < hash) low = middle + 1;
      else high = middle;
    }
    let next = Math.max(0, low - 1);
    for (;;) {
      if (next > block) {
        block = next;
        current = words[directory + 2 * block];
        const descriptor = words[directory + 1 + 2 * block];
        at = descriptor & 32767;
        positionRice = (descriptor >>> 15) & 31;
        hashRice = (descriptor >>> 20) & 31;
        left = descriptor >>> 25;
        fresh = true;
      }
      if (fresh && current < hash) {
        at += firstPostingBits;
        left--;
        fresh = false;
      }
      // Before the hash is reached only lengths matter.
      while (left > 0 && current < hash) {
        const i = base + (at >>> 5);
        const shift = at & 31;
        const window = (words[i] << shift) | ((words[i + 1] >>> 1) >>> (31 - shift));
        const ones = Math.clz32(~(window << 1));
        if (window >= 0) {
          at += ones >= escape ? 1 + escape + 32 + detailBits : ones + 2 + positionRice + detailBits;
          left--;
          continue;
        }
        if (ones >= escape) {
          current += 1 + readBits(words, base, at + 1 + escape, 32);
          at += 1 + escape + 32;
        } else {
          current += 1 + ((ones << hashRice) | readBits(words, base, at + ones + 2, hashRice));
          at += ones + 2 + hashRice;
        }
        if (current >= hash) {
          fresh = true;
          break;
        }
        at += firstPostingBits;
        left--;
      }
      if (left > 0) {
        if (current !== hash || !fresh) break;
        hits.reserve(left);
        const { positions, details } = hits;
        let count = hits.count;
        let position = readBits(words, base, at, positionBits);
        positions[count] = position;
        details[count++] = readBits(words, base, at + positionBits, detailBits);
        at += firstPostingBits;
        left--;
        fresh = false;
        while (left > 0) {
          let i = base + (at >>> 5);
          let shift = at & 31;
          const window = (words[i] << shift) | ((words[i + 1] >>> 1) >>> (31 - shift));
          if (window < 0) break;
          const ones = Math.clz32(~(window << 1));
          if (ones >= escape) {
            position += readBits(words, base, at + 1 + escape, 32);
            at += 1 + escape + 32;
          } else {
            at += ones + 2;
            i = base + (at >>> 5);
            shift = at & 31;
            const rest = (words[i] << shift) | ((words[i + 1] >>> 1) >>> (31 - shift));
            position += (ones << positionRice) | ((rest >>> 1) >>> (31 - positionRice));
            at += positionRice;
          }
          i = base + (at >>> 5);
          shift = at & 31;
          const rest = (words[i] << shift) | ((words[i + 1] >>> 1) >>> (31 - shift));
          positions[count] = position;
          details[count++] = (rest >>> 1) >>> (31 - detailBits);
          at += detailBits;
          left--;
        }
        hits.count = count;
        if (left > 0) break;
      }
      if (block + 1 >= blocks || words[directory + 2 * (block + 1)] > hash) break;
      next = block + 1;
    }
    const found = hits.count - start;
    if (found > 0) hits.entries.fill(probes.entries[probe], start, hits.count);
    // Probes with one hash share its postings.
    while (probe + 1 < to && keys[probe + 1] === hash) {
      probe++;
      if (found > 0) hits.repeat(start, start + found, probes.entries[probe]);
    }
  }
}

/** Receives postings in order. */
export type PostingVisitor = (hash: number, position: number, detail: number) => void;

/** Hands every posting of a page to `visit`; merging reads segments this way. */
export function readPage(words: Uint32Array, base: number, visit: PostingVisitor): void {
  const info = words[base + 1];
  const blocks = info & 1023;
  const positionBits = (info >>> 10) & 63;
  const detailBits = (info >>> 16) & 15;
  for (let block = 0; block < blocks; block++) {
    let hash = words[base + headerWords + 2 * block];
    const descriptor = words[base + headerWords + 1 + 2 * block];
    const positionRice = (descriptor >>> 15) & 31;
    const hashRice = (descriptor >>> 20) & 31;
    const postings = descriptor >>> 25;
    let at = descriptor & 32767;
    let position = 0;
    for (let i = 0; i < postings; i++) {
      const newHash = i > 0 && readBits(words, base, at++, 1) === 1;
      if (i > 0) {
        const rice = newHash ? hashRice : positionRice;
        const ones = Math.min(escape, Math.clz32(~readBits(words, base, at, 32)));
        at += ones < escape ? ones + 1 : escape;
        const length = ones < escape ? rice : 32;
        const value = readBits(words, base, at, length) + (ones < escape ? ones * 2 ** rice : 0);
        at += length;
        if (newHash) hash += value + 1;
        else position += value;
      }
      if (i === 0 || newHash) {
        position = readBits(words, base, at, positionBits);
        at += positionBits;
      }
      visit(hash, position, readBits(words, base, at, detailBits));
      at += detailBits;
    }
  }
}

/** Packs postings that come in order of (hash, position) into pages. */
export class PageWriter {
  private readonly hashes = new Float64Array(postingsPerBlock);
  private readonly positions = new Float64Array(postingsPerBlock);
  private readonly details = new Uint8Array(postingsPerBlock);
  private readonly costs = new Float64Array(postingsPerBlock + 1);
  private pending = 0;
  /** Block descriptors and bit stream of the page in the making; put together when it is full. */
  private readonly directory = new Uint32Array(2 * 512);
  private readonly stream = new Uint32Array(pageWords + 2);
  private blocks = 0;
  private bits = 0;
  private inPage = 0;
  private positionRice = 0;
  private hashRice = 0;

  /**
   * @param positionBits bits of the largest position, 1 to 32
   * @param detailBits bits of the largest detail, 0 to 8
   * @param emit takes a finished page (checksum left empty) and the hash of its first posting; the array is used again
   */
  constructor(
    private readonly positionBits: number,
    private readonly detailBits: number,
    private readonly emit: (page: Uint32Array, firstHash: number) => void,
  ) {}

  push(hash: number, position: number, detail: number): void {
    this.hashes[this.pending] = hash;
    this.positions[this.pending] = position;
    this.details[this.pending++] = detail;
    while (this.pending === postingsPerBlock) this.packBlock();
  }

  /** Emits what is left. */
  finish(): void {
    while (this.pending > 0) this.packBlock();
    if (this.blocks > 0) this.emitPage();
  }

  /** Puts the pending postings, or as many of them as still fit, into the page. */
  private packBlock(): void {
    this.choose();
    const used = headerWords * 32 + this.blocks * 64 + this.bits;
    const room = pageBytes * 8 - used - 64;
    let fitting = this.pending;
    while (fitting > 0 && this.costs[fitting] > room) fitting--;
    // A sliver is not worth a descriptor; the next page takes it.
    if (fitting < this.pending && fitting < 8 && this.blocks > 0) fitting = 0;
    if (fitting > 0) this.writeBlock(fitting);
    if (this.pending > 0) this.emitPage();
  }

  /** Chooses both Rice parameters for the pending postings and sums up the cost in bits of their first n. */
  private choose(): void {
    const { hashes, positions } = this;
    let hashSum = 0;
    let hashCount = 0;
    let positionSum = 0;
    for (let i = 1; i < this.pending; i++) {
      if (hashes[i] === hashes[i - 1]) positionSum += positions[i] - positions[i - 1];
      else {
        hashSum += hashes[i] - hashes[i - 1] - 1;
        hashCount++;
      }
    }
    this.hashRice = riceParameter(hashSum, hashCount);
    this.positionRice = riceParameter(positionSum, this.pending - 1 - hashCount);
    this.costs[0] = 0;
    let cost = this.positionBits + this.detailBits;
    this.costs[1] = cost;
    for (let i = 1; i < this.pending; i++) {
      cost += 1 + this.detailBits;
      if (hashes[i] === hashes[i - 1]) cost += riceBits(positions[i] - positions[i - 1], this.positionRice);
      else cost += riceBits(hashes[i] - hashes[i - 1] - 1, this.hashRice) + this.positionBits;
      this.costs[i + 1] = cost;
    }
  }

  private writeBlock(count: number): void {
    const { hashes, positions, details } = this;
    this.directory[2 * this.blocks] = hashes[0];
    this.directory[2 * this.blocks + 1] =
      (this.bits | (this.positionRice << 15) | (this.hashRice << 20) | (count << 25)) >>> 0;
    this.blocks++;
    this.write(positions[0], this.positionBits);
    this.write(details[0], this.detailBits);
    for (let i = 1; i < count; i++) {
      if (hashes[i] === hashes[i - 1]) {
        this.write(0, 1);
        this.writeRice(positions[i] - positions[i - 1], this.positionRice);
      } else {
        this.write(1, 1);
        this.writeRice(hashes[i] - hashes[i - 1] - 1, this.hashRice);
        this.write(positions[i], this.positionBits);
      }
      this.write(details[i], this.detailBits);
    }
    this.inPage += count;
    hashes.copyWithin(0, count, this.pending);
    positions.copyWithin(0, count, this.pending);
    details.copyWithin(0, count, this.pending);
    this.pending -= count;
  }

  private writeRice(value: number, parameter: number): void {
    const quotient = Math.floor(value / 2 ** parameter);
    if (quotient >= escape) {
      this.write(2 ** escape - 1, escape);
      this.write(value, 32);
      return;
    }
    this.write(2 ** (quotient + 1) - 2, quotient + 1);
    this.write(value % 2 ** parameter, parameter);
  }

  private write(value: number, length: number): void {
    if (length === 0) return;
    const i = this.bits >>> 5;
    const end = (this.bits & 31) + length;
    if (end <= 32) {
      this.stream[i] |= value << (32 - end);
    } else {
      this.stream[i] |= value >>> (end - 32);
      this.stream[i + 1] = value << (64 - end);
    }
    this.bits += length;
  }

  private emitPage(): void {
    const page = new Uint32Array(pageWords);
    page[1] = this.blocks | (this.positionBits << 10) | (this.detailBits << 16);
    page[2] = this.inPage;
    const streamStart = headerWords + 2 * this.blocks;
    for (let i = 0; i < this.blocks; i++) {
      page[headerWords + 2 * i] = this.directory[2 * i];
      page[headerWords + 2 * i + 1] = this.directory[2 * i + 1] + streamStart * 32;
    }
    page.set(this.stream.subarray(0, Math.ceil(this.bits / 32)), streamStart);
    this.emit(page, this.directory[0]);
    this.stream.fill(0);
    this.blocks = 0;
    this.bits = 0;
    this.inPage = 0;
  }
}

/** Rice parameter near the optimum for values of a mean: the k for which 2^k is next to .69 of it. */
function riceParameter(sum: number, count: number): number {
  if (count === 0) return 0;
  return Math.min(largestRice, Math.max(0, Math.round(Math.log2((sum / count) * 0.69 + 0.5))));
}

function riceBits(value: number, parameter: number): number {
  const quotient = Math.floor(value / 2 ** parameter);
  return quotient >= escape ? escape + 32 : quotient + 1 + parameter;
}
