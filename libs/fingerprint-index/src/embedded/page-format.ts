import type { HitBatch, ProbeList } from './hits.js';
import { exactPostings, packDetail, unpackedDetails, type PostingRounding } from './posting-rounding.js';

/**
 * A page holds postings in order of (hash, position), 4,096 bytes that can be checked and read alone:
 *
 * | word | content |
 * |---|---|
 * | 0 | CRC-32 of the rest of the page |
 * | 1 | blocks in the page (bits 0-9), bits of a position (10-15), bits of a detail (16-19), and what is left out: low bits of positions (20-22), of the details' high halves (23-24) and of their low halves (25-26) |
 * | 2 | postings in the page |
 * | 3 + 2i | hash of the first posting of block i |
 * | 4 + 2i | of block i: where its bits start (0-14), Rice parameter of positions (15-19) and of hashes (20-24), postings (25-31) |
 * | then | bit stream, highest bit of a word first |
 *
 * A block is up to 64 postings. Its first posting is a position and a detail; every other one starts with a flag: 0 and
 * the Rice-coded distance to the position before (same hash), or 1, the Rice-coded distance to the hash before less one,
 * and a position; then a detail. A Rice code of k bits is the quotient by 2^k in unary (ones, then a zero) and the k low
 * bits; 20 ones mean that the value follows in 32 bits. Positions and details are those of {@link PostingRounding}: every
 * page has one rounding.
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
  const dropped = (info >>> 20) & 7;
  const centre = (1 << dropped) >> 1;
  const detailOf = unpackedDetails((info >>> 23) & 3, (info >>> 25) & 3);
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
        positions[count] = (position << dropped) + centre;
        details[count++] = detailOf[readBits(words, base, at + positionBits, detailBits)];
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
          positions[count] = (position << dropped) + centre;
          details[count++] = detailOf[(rest >>> 1) >>> (31 - detailBits)];
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

/** Decoded postings of a page, parallel columns. */
export type PagePostings = Readonly<{ hashes: Uint32Array; positions: Uint32Array; details: Uint8Array }>;

/** More postings than a page can hold: each costs three bits at least, its share of the block's descriptor included. */
const mostPostingsPerPage = Math.ceil((8 * pageBytes) / 3);

/** Columns that hold any page. */
export function newPagePostings(): PagePostings {
  return {
    hashes: new Uint32Array(mostPostingsPerPage),
    positions: new Uint32Array(mostPostingsPerPage),
    details: new Uint8Array(mostPostingsPerPage),
  };
}

/** Reads every posting of a page, in order; merging reads segments this way. Returns how many there are. */
export function readPage(words: Uint32Array, base: number, out: PagePostings): number {
  const { hashes, positions, details } = out;
  const info = words[base + 1];
  const blocks = info & 1023;
  const positionBits = (info >>> 10) & 63;
  const detailBits = (info >>> 16) & 15;
  const dropped = (info >>> 20) & 7;
  const centre = (1 << dropped) >> 1;
  const detailOf = unpackedDetails((info >>> 23) & 3, (info >>> 25) & 3);
  let count = 0;
  for (let block = 0; block < blocks; block++) {
    let hash = words[base + headerWords + 2 * block];
    const descriptor = words[base + headerWords + 1 + 2 * block];
    const positionRice = (descriptor >>> 15) & 31;
    const hashRice = (descriptor >>> 20) & 31;
    const end = count + (descriptor >>> 25);
    let at = descriptor & 32767;
    let position = readBits(words, base, at, positionBits);
    at += positionBits;
    for (let first = true; count < end; first = false) {
      if (!first) {
        const window = readBits(words, base, at, 32) | 0;
        // The flag, then ones: both in one window.
        const ones = Math.clz32(~(window << 1));
        const rice = window >= 0 ? positionRice : hashRice;
        let value: number;
        if (ones >= escape) {
          value = readBits(words, base, at + 1 + escape, 32);
          at += 1 + escape + 32;
        } else {
          value = (ones << rice) + readBits(words, base, at + ones + 2, rice);
          at += ones + 2 + rice;
        }
        if (window >= 0) position += value;
        else {
          hash += value + 1;
          position = readBits(words, base, at, positionBits);
          at += positionBits;
        }
      }
      hashes[count] = hash;
      positions[count] = (position << dropped) + centre;
      details[count++] = detailOf[readBits(words, base, at, detailBits)];
      at += detailBits;
    }
  }
  return count;
}

/** Packs postings that come in order of (hash, position) into pages. */
export class PageWriter {
  private readonly hashes = new Uint32Array(postingsPerBlock);
  private readonly positions = new Uint32Array(postingsPerBlock);
  private readonly details = new Uint8Array(postingsPerBlock);
  private pending = 0;
  /** Block descriptors and bit stream of the page in the making; put together when it is full. */
  private readonly directory = new Uint32Array(2 * 512);
  private readonly stream = new Uint32Array(pageWords + 2);
  private blocks = 0;
  private bits = 0;
  private inPage = 0;
  private positionRice = 0;
  private hashRice = 0;
  private rounding: PostingRounding | undefined;
  /** Bits of a position and of a detail that are kept. */
  private positionBits = 0;
  private detailBits = 0;

  /**
   * @param largestBits bits of the largest position, 1 to 32
   * @param roundingOf how exactly postings of a hash are kept: one object for each kind, kinds one after the other
   * @param emit takes a finished page (checksum left empty) and the hash of its first posting; the array is used again
   */
  constructor(
    private readonly largestBits: number,
    private readonly roundingOf: (hash: number) => PostingRounding,
    private readonly emit: (page: Uint32Array, firstHash: number) => void,
  ) {}

  push(hash: number, position: number, detail: number): void {
    const rounding = this.roundingOf(hash);
    if (rounding !== this.rounding) this.changeRounding(rounding);
    this.hashes[this.pending] = hash;
    this.positions[this.pending] = position >>> rounding.position;
    this.details[this.pending++] = packDetail(detail, rounding);
    while (this.pending === postingsPerBlock) this.packBlock();
  }

  /** Emits what is left. */
  finish(): void {
    while (this.pending > 0) this.packBlock();
    if (this.blocks > 0) this.emitPage();
  }

  /** Starts a new page for postings of another kind. */
  private changeRounding(rounding: PostingRounding): void {
    this.finish();
    const [high, low] = rounding.details;
    this.rounding = rounding;
    this.positionBits = Math.max(1, this.largestBits - rounding.position);
    this.detailBits = 8 - high - low;
  }

  /** Puts the pending postings, or as many of them as still fit, into the page. */
  private packBlock(): void {
    this.choose();
    const used = headerWords * 32 + this.blocks * 64 + this.bits;
    const fitting = this.countFitting(pageBytes * 8 - used - 64);
    if (fitting > 0) this.writeBlock(fitting);
    if (this.pending > 0) this.emitPage();
  }

  /** Chooses both Rice parameters for the pending postings. */
  private choose(): void {
    const { hashes, positions, pending } = this;
    let hashSum = 0;
    let hashCount = 0;
    let positionSum = 0;
    for (let i = 1; i < pending; i++) {
      if (hashes[i] === hashes[i - 1]) positionSum += positions[i] - positions[i - 1];
      else {
        hashSum += hashes[i] - hashes[i - 1] - 1;
        hashCount++;
      }
    }
    this.hashRice = riceParameter(hashSum, hashCount);
    this.positionRice = riceParameter(positionSum, pending - 1 - hashCount);
  }

  /** Pending postings, from the first one on, that take no more than `room` bits. */
  private countFitting(room: number): number {
    const { hashes, positions, pending } = this;
    let cost = this.positionBits + this.detailBits;
    let fitting = 0;
    while (cost <= room) {
      const i = ++fitting;
      if (i === pending) return pending;
      cost += 1 + this.detailBits;
      if (hashes[i] === hashes[i - 1]) cost += riceBits(positions[i] - positions[i - 1], this.positionRice);
      else cost += riceBits(hashes[i] - hashes[i - 1] - 1, this.hashRice) + this.positionBits;
    }
    // A sliver is not worth a descriptor; the next page takes it.
    return fitting < 8 && this.blocks > 0 ? 0 : fitting;
  }

  private writeBlock(count: number): void {
    const { hashes, positions, details, stream, positionBits, detailBits, positionRice, hashRice } = this;
    this.directory[2 * this.blocks] = hashes[0];
    this.directory[2 * this.blocks + 1] =
      (this.bits | (positionRice << 15) | (hashRice << 20) | (count << 25)) >>> 0;
    this.blocks++;
    let at = this.bits;
    putBits(stream, at, positions[0], positionBits);
    at += positionBits;
    putBits(stream, at, details[0], detailBits);
    at += detailBits;
    for (let i = 1; i < count; i++) {
      const isNew = hashes[i] !== hashes[i - 1];
      const value = isNew ? hashes[i] - hashes[i - 1] - 1 : positions[i] - positions[i - 1];
      const rice = isNew ? hashRice : positionRice;
      const quotient = value >>> rice;
      // The flag of a new hash is one more 1 before the quotient's.
      if (quotient >= escape) {
        putBits(stream, at, isNew ? 2 ** (escape + 1) - 1 : 2 ** escape - 1, escape + 1);
        putBits(stream, at + escape + 1, value, 32);
        at += escape + 33;
      } else {
        putBits(stream, at, isNew ? (4 << quotient) - 2 : (2 << quotient) - 2, quotient + 2);
        at += quotient + 2;
        putBits(stream, at, value & ((1 << rice) - 1), rice);
        at += rice;
      }
      if (isNew) {
        putBits(stream, at, positions[i], positionBits);
        at += positionBits;
      }
      putBits(stream, at, details[i], detailBits);
      at += detailBits;
    }
    this.bits = at;
    this.inPage += count;
    hashes.copyWithin(0, count, this.pending);
    positions.copyWithin(0, count, this.pending);
    details.copyWithin(0, count, this.pending);
    this.pending -= count;
  }

  private emitPage(): void {
    const page = new Uint32Array(pageWords);
    const { position, details } = this.rounding ?? exactPostings;
    page[1] =
      this.blocks |
      (this.positionBits << 10) |
      (this.detailBits << 16) |
      (position << 20) |
      (details[0] << 23) |
      (details[1] << 25);
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

/** Puts the `length` low bits of a value into a stream of zeros, `at` bits in. */
function putBits(stream: Uint32Array, at: number, value: number, length: number): void {
  if (length === 0) return;
  const i = at >>> 5;
  const end = (at & 31) + length;
  if (end <= 32) stream[i] |= value << (32 - end);
  else {
    stream[i] |= value >>> (end - 32);
    stream[i + 1] = value << (64 - end);
  }
}

/** Rice parameter near the optimum for values of a mean: the k for which 2^k is next to .69 of it. */
function riceParameter(sum: number, count: number): number {
  if (count === 0) return 0;
  return Math.min(largestRice, Math.max(0, Math.round(Math.log2((sum / count) * 0.69 + 0.5))));
}

function riceBits(value: number, parameter: number): number {
  const quotient = value >>> parameter;
  return quotient >= escape ? escape + 32 : quotient + 1 + parameter;
}
