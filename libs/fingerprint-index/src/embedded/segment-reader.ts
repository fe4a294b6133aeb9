import * as fs from 'node:fs';
import { basename } from 'node:path';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';
import { IndexCorruptError } from '../errors.js';
import type { HitBatch, ProbeList } from './hits.js';
import { CachedPages, PageCache } from './page-cache.js';
import { findInPage, pageBytes, pageWords, readPage, type PagePostings } from './page-format.js';
import { lastPageBefore } from './page-search.js';
import { decodeFooter, footerBytes, headerBytes, readHeader, type SegmentFooter } from './segment-format.js';
import { TrackTable } from './track-table.js';

const readAt = promisify(fs.read);
/** Pages that one batch of reads takes in before they are looked at. */
const pagesPerBatch = 512;
/** Reads under way at a time. */
const readsAtOnce = 8;
/** Pages not asked for that one read may take along to save a second one. */
const gapPages = 2;
/** A read that takes longer, and this much more for each further page, came from a disk and not from the system's memory. */
const slowReadMs = 0.05;
const slowPageMs = 0.005;

/** Adjacent pages to read at once, and those among them that were asked for. */
type PageRun = Readonly<{ first: number; pages: number; wanted: readonly number[] }>;

/** Probes `from` up to `to` fall into a page. */
type PageProbes = Readonly<{ page: number; from: number; to: number }>;

/**
 * An open segment file. Its directory (4 bytes a page) and its tracks are in memory; pages are read when a lookup needs
 * them and then stay in the cache.
 */
export class SegmentReader {
  private readonly cached: CachedPages;
  private references = 1;

  private constructor(
    readonly path: string,
    /** Tells files of one name apart. */
    readonly inode: number,
    readonly bytes: number,
    /** Format version of the file. */
    readonly version: number,
    readonly footer: SegmentFooter,
    readonly directory: Uint32Array,
    readonly tracks: TrackTable,
    private readonly fd: number,
    private readonly cache: PageCache,
  ) {
    this.cached = new CachedPages(footer.pages);
  }

  /**
   * Opens a segment and checks everything but its pages, which are checked whenever they are read.
   *
   * @throws {IndexCorruptError} for a file that is cut off or damaged
   * @throws {IndexConfigMismatchError} for another configuration or format
   */
  static open(path: string, configId: string, cache: PageCache): SegmentReader {
    const fd = fs.openSync(path, 'r');
    try {
      const { size, ino } = fs.fstatSync(fd);
      const version = readHeader(path, readSync(fd, 0, Math.min(size, headerBytes)), configId);
      const footer = decodeFooter(path, size, readSync(fd, Math.max(0, size - footerBytes), footerBytes));
      const directoryAt = headerBytes + footer.pages * pageBytes;
      const directory = readSync(fd, directoryAt, footer.pages * 4);
      if (crc32(directory) !== footer.directoryCrc) {
        throw new IndexCorruptError(path, directoryAt, 'checksum of the directory');
      }
      const table = readSync(fd, directoryAt + directory.length, footer.trackBytes);
      if (crc32(table) !== footer.trackCrc) {
        throw new IndexCorruptError(path, directoryAt + directory.length, 'checksum of the tracks');
      }
      const firstHashes = new Uint32Array(footer.pages);
      new Uint8Array(firstHashes.buffer).set(directory);
      return new SegmentReader(
        path,
        ino,
        size,
        version,
        footer,
        firstHashes,
        TrackTable.decode(table),
        fd,
        cache,
      );
    } catch (error) {
      fs.closeSync(fd);
      throw error;
    }
  }

  get name(): string {
    return basename(this.path);
  }

  /** Keeps the file open until {@link release} was called as often. */
  retain(): this {
    this.references++;
    return this;
  }

  /** Closes the file and forgets its pages when nobody holds it any longer. */
  release(): void {
    if (--this.references > 0) return;
    this.cache.drop(this.cached);
    fs.closeSync(this.fd);
  }

  /**
   * Appends the postings of every probe to `hits`, in no particular order. Pages in memory are read at once; the others
   * are fetched in batches.
   *
   * @throws {IndexCorruptError} when a page fails its check
   */
  async lookup(probes: ProbeList, hits: HitBatch): Promise<void> {
    const missing = this.lookupCached(probes, hits);
    for (let from = 0; from < missing.length;) {
      let to = from;
      const pages: number[] = [];
      while (to < missing.length && (pages.length < pagesPerBatch || missing[to].page === pages.at(-1))) {
        const { page } = missing[to++];
        if (page !== pages.at(-1)) pages.push(page);
      }
      const batch = missing.slice(from, to);
      let next = 0;
      await this.fetch(pages, (page, words, base) => {
        for (; next < batch.length && batch[next].page === page; next++) {
          findInPage(words, base, probes, batch[next].from, batch[next].to, hits);
        }
      });
      from = to;
    }
  }

  /** Looks into cached pages; gives back the others, ascending, and the probes that fall into each. */
  private lookupCached(probes: ProbeList, hits: HitBatch): PageProbes[] {
    const missing: PageProbes[] = [];
    const { directory, cached, cache } = this;
    const { hashes, count } = probes;
    const { slots } = cached;
    const pages = directory.length;
    const visit = (page: number, from: number, to: number): void => {
      const slot = slots[page] - 1;
      if (slot < 0) {
        missing.push({ page, from, to });
        return;
      }
      cache.used[slot] = 1;
      findInPage(cache.slabs[PageCache.slab(slot)], PageCache.word(slot), probes, from, to, hits);
    };
    let page = 0;
    for (let from = 0; from < count && pages > 0;) {
      page = lastPageBefore(directory, hashes[from], page);
      let to = from + 1;
      if (page + 1 === pages) to = count;
      else while (to < count && hashes[to] <= directory[page + 1]) to++;
      visit(page, from, to);
      // The last of these hashes may go on at the start of the next pages.
      const last = hashes[to - 1];
      let twins = to - 1;
      while (twins > from && hashes[twins - 1] === last) twins--;
      for (let at = page + 1; at < pages && directory[at] === last; at++) visit(at, twins, to);
      from = to;
    }
    return missing;
  }

  /**
   * Reads pages (ascending, distinct), checks and caches them, and hands over each.
   *
   * What the system has in memory is fastest read by waiting for it (2 us a page, 13 us through the thread pool). The first
   * read that has to wait for a disk ends that: the others are asked for several at a time.
   */
  private async fetch(
    pages: readonly number[],
    take: (page: number, words: Uint32Array, base: number) => void,
  ): Promise<void> {
    const runs = runsOf(pages);
    const longest = runs.reduce((most, run) => Math.max(most, run.pages), 0);
    const buffer = new Uint32Array(longest * pageWords + 1);
    let done = 0;
    for (let isFast = true; isFast && done < runs.length; done++) {
      const run = runs[done];
      const begun = performance.now();
      const bytes = new Uint8Array(buffer.buffer, 0, run.pages * pageBytes);
      fillSync(this.path, this.fd, bytes, headerBytes + run.first * pageBytes);
      isFast = performance.now() - begun < slowReadMs + slowPageMs * run.pages;
      this.keep(run, buffer, take);
    }
    const slow = runs.slice(done);
    const buffers: Uint32Array[] = [];
    let next = 0;
    const reader = async (): Promise<void> => {
      while (next < slow.length) {
        const i = next++;
        buffers[i] = await this.readRunLater(slow[i]);
      }
    };
    await Promise.all(Array.from({ length: Math.min(readsAtOnce, slow.length) }, reader));
    slow.forEach((run, i) => this.keep(run, buffers[i], take));
  }

  private async readRunLater(run: PageRun): Promise<Uint32Array> {
    const buffer = new Uint32Array(run.pages * pageWords + 1);
    const bytes = new Uint8Array(buffer.buffer, 0, run.pages * pageBytes);
    const position = headerBytes + run.first * pageBytes;
    for (let done = 0; done < bytes.length;) {
      const { bytesRead } = await readAt(this.fd, bytes, done, bytes.length - done, position + done);
      if (bytesRead === 0) throw new IndexCorruptError(this.path, position + done, 'the file ends here');
      done += bytesRead;
    }
    return buffer;
  }

  /** Checks and caches the wanted pages of a run that was read, and hands them over. */
  private keep(
    run: PageRun,
    buffer: Uint32Array,
    take: (page: number, words: Uint32Array, base: number) => void,
  ): void {
    for (const page of run.wanted) {
      const base = (page - run.first) * pageWords;
      const words = buffer.subarray(base, base + pageWords);
      checkPage(this.path, page, words);
      this.cache.insert(this.cached, page, words);
      take(page, buffer, base);
    }
  }

  /**
   * Reads the whole file and checks every page; for `doctor`.
   *
   * @throws {IndexCorruptError} naming the first damaged page
   */
  async verify(): Promise<void> {
    for (let first = 0; first < this.footer.pages; first += pagesPerBatch) {
      const length = Math.min(pagesPerBatch, this.footer.pages - first);
      const bytes = Buffer.alloc(length * pageBytes);
      const { bytesRead } = await readAt(this.fd, bytes, 0, bytes.length, headerBytes + first * pageBytes);
      const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
      for (let page = 0; page < length; page++) {
        if ((page + 1) * pageBytes > bytesRead) {
          throw new IndexCorruptError(
            this.path,
            headerBytes + first * pageBytes + bytesRead,
            'the file ends here',
          );
        }
        checkPage(this.path, first + page, words.subarray(page * pageWords, (page + 1) * pageWords));
      }
    }
  }
}

/** Walks through all postings of a segment file in order, for merging; reads without a cache. */
export class SegmentCursor {
  private readonly buffer = new Uint32Array(64 * pageWords + 1);
  private page = 0;
  private bufferedFrom = 0;
  private bufferedTo = 0;
  private readonly fd: number;

  constructor(
    private readonly path: string,
    private readonly pages: number,
  ) {
    this.fd = fs.openSync(path, 'r');
  }

  /** Reads the postings of the next page and gives their number; 0 when there is none. */
  nextPage(out: PagePostings): number {
    if (this.page === this.pages) return 0;
    if (this.page === this.bufferedTo) this.fill();
    const base = (this.page - this.bufferedFrom) * pageWords;
    checkPage(this.path, this.page, this.buffer.subarray(base, base + pageWords));
    this.page++;
    return readPage(this.buffer, base, out);
  }

  close(): void {
    fs.closeSync(this.fd);
  }

  private fill(): void {
    const count = Math.min(64, this.pages - this.page);
    const bytes = new Uint8Array(this.buffer.buffer, 0, count * pageBytes);
    fillSync(this.path, this.fd, bytes, headerBytes + this.page * pageBytes);
    this.bufferedFrom = this.page;
    this.bufferedTo = this.page + count;
  }
}

function runsOf(pages: readonly number[]): readonly PageRun[] {
  const runs: PageRun[] = [];
  for (let i = 0; i < pages.length;) {
    let j = i + 1;
    while (j < pages.length && pages[j] - pages[j - 1] <= 1 + gapPages) j++;
    runs.push({ first: pages[i], pages: pages[j - 1] - pages[i] + 1, wanted: pages.slice(i, j) });
    i = j;
  }
  return runs;
}

function checkPage(path: string, page: number, words: Uint32Array): void {
  const bytes = new Uint8Array(words.buffer, words.byteOffset, pageBytes);
  if (crc32(bytes.subarray(4)) !== words[0]) {
    throw new IndexCorruptError(path, headerBytes + page * pageBytes, `checksum of page ${page}`);
  }
}

/** Fills `bytes` from `position` on, or throws that the file ends there. */
function fillSync(path: string, fd: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length;) {
    const read = fs.readSync(fd, bytes, done, bytes.length - done, position + done);
    if (read === 0) throw new IndexCorruptError(path, position + done, 'the file ends here');
    done += read;
  }
}

/** Up to `length` bytes from `position` on: fewer where the file ends. */
function readSync(fd: number, position: number, length: number): Buffer {
  const buffer = Buffer.alloc(length);
  let done = 0;
  while (done < length) {
    const read = fs.readSync(fd, buffer, done, length - done, position + done);
    if (read === 0) return buffer.subarray(0, done);
    done += read;
  }
  return buffer;
}
