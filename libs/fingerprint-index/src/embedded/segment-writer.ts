import { crc32 } from 'node:zlib';
import type { DurableFiles } from './durable-files.js';
import { PageWriter, pageBytes } from './page-format.js';
import { roundingOfKey } from './posting-rounding.js';
import { encodeFooter, encodeHeader, headerBytes } from './segment-format.js';
import type { TrackTable } from './track-table.js';

const pagesPerWrite = 64;

/** Writes one segment file from postings that come in order of (hash, position). */
export class SegmentWriter {
  private readonly fd: number;
  private readonly pages: PageWriter;
  private readonly chunk = Buffer.alloc(pagesPerWrite * pageBytes);
  private inChunk = 0;
  private at = 0;
  private directory = new Uint32Array(1024);
  private pageCount = 0;
  private landmarks = 0;

  constructor(
    private readonly path: string,
    configId: string,
    positionBits: number,
    private readonly files: DurableFiles,
  ) {
    files.remove(path);
    this.fd = files.open(path, 'wx');
    files.write(this.fd, encodeHeader(configId), 0);
    this.at = headerBytes;
    this.pages = new PageWriter(positionBits, roundingOfKey, (page, firstHash) =>
      this.takePage(page, firstHash),
    );
  }

  push(hash: number, position: number, detail: number): void {
    this.pages.push(hash, position, detail);
    this.landmarks++;
  }

  /** Writes directory, tracks and footer and makes the file durable (not yet its name). Returns its size in bytes. */
  finish(tracks: TrackTable): number {
    this.pages.finish();
    this.writeChunk();
    const directory = Buffer.from(this.directory.buffer, 0, this.pageCount * 4);
    const table = tracks.encode();
    const footer = encodeFooter({
      pages: this.pageCount,
      landmarks: this.landmarks,
      trackBytes: table.length,
      directoryCrc: crc32(directory),
      trackCrc: crc32(table),
    });
    for (const part of [directory, table, footer]) {
      this.files.write(this.fd, part, this.at);
      this.at += part.length;
    }
    this.files.sync(this.fd);
    this.files.close(this.fd);
    return this.at;
  }

  /** Gives up and removes the file. */
  abandon(): void {
    this.files.close(this.fd);
    this.files.remove(this.path);
  }

  private takePage(page: Uint32Array, firstHash: number): void {
    const bytes = Buffer.from(page.buffer, page.byteOffset, pageBytes);
    bytes.writeUInt32LE(crc32(bytes.subarray(4)), 0);
    bytes.copy(this.chunk, this.inChunk * pageBytes);
    if (++this.inChunk === pagesPerWrite) this.writeChunk();
    if (this.pageCount === this.directory.length) {
      const grown = new Uint32Array(this.directory.length * 2);
      grown.set(this.directory);
      this.directory = grown;
    }
    this.directory[this.pageCount++] = firstHash;
  }

  private writeChunk(): void {
    if (this.inChunk === 0) return;
    this.files.write(this.fd, this.chunk.subarray(0, this.inChunk * pageBytes), this.at);
    this.at += this.inChunk * pageBytes;
    this.inChunk = 0;
  }
}

/** Bits that a value needs; 1 for 0. */
export function bitsOf(value: number): number {
  return Math.max(1, 32 - Math.clz32(value));
}
