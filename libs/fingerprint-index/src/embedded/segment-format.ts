import { crc32 } from 'node:zlib';
import { IndexConfigMismatchError, IndexCorruptError } from '../errors.js';
import { pageBytes } from './page-format.js';

/**
 * A segment file, version 2, little-endian (version 1 had exact postings on every page and is read as well):
 *
 * | part | size | content |
 * |---|---|---|
 * | header | 4,096 | `EMFXSEG1`, format version (u32), length and text of the configuration id, CRC-32 in the last 4 bytes |
 * | pages | 4,096 each | postings, see page-format.ts |
 * | directory | 4 a page | hash of the first posting of each page (u32) |
 * | tracks | | see TrackTable.encode |
 * | footer | 64 | see {@link SegmentFooter}; magic `EMFXEND1` and CRC-32 at its end |
 */
export const segmentFormatVersion = 2;
const oldestReadable = 1;
export const headerBytes = pageBytes;
export const footerBytes = 64;
const headerMagic = 'EMFXSEG1';
const footerMagic = 'EMFXEND1';

/** What stands at the end of a segment file. */
export type SegmentFooter = Readonly<{
  pages: number;
  landmarks: number;
  /** Bytes of the encoded track table. */
  trackBytes: number;
  directoryCrc: number;
  trackCrc: number;
}>;

export function encodeHeader(configId: string): Buffer {
  const header = Buffer.alloc(headerBytes);
  header.write(headerMagic, 0, 'latin1');
  header.writeUInt32LE(segmentFormatVersion, 8);
  const length = header.write(configId, 16, headerBytes - 32, 'utf8');
  header.writeUInt32LE(length, 12);
  header.writeUInt32LE(crc32(header.subarray(0, headerBytes - 4)), headerBytes - 4);
  return header;
}

/**
 * Gives the format version of a segment, checked.
 *
 * @throws {IndexCorruptError} when these bytes are no header
 * @throws {IndexConfigMismatchError} when the file has an unknown format version or another configuration
 */
export function readHeader(file: string, header: Buffer, configId: string): number {
  if (header.length < headerBytes || header.toString('latin1', 0, 8) !== headerMagic) {
    throw new IndexCorruptError(file, 0, 'it does not start like a segment');
  }
  if (header.readUInt32LE(headerBytes - 4) !== crc32(header.subarray(0, headerBytes - 4))) {
    throw new IndexCorruptError(file, 0, 'checksum of the header');
  }
  const version = header.readUInt32LE(8);
  if (version < oldestReadable || version > segmentFormatVersion) {
    throw new IndexConfigMismatchError(
      file,
      `segment format ${segmentFormatVersion}`,
      `segment format ${version}`,
    );
  }
  const actual = header.toString('utf8', 16, 16 + header.readUInt32LE(12));
  if (actual !== configId) throw new IndexConfigMismatchError(file, configId, actual);
  return version;
}

export function encodeFooter(footer: SegmentFooter): Buffer {
  const bytes = Buffer.alloc(footerBytes);
  bytes.writeUInt32LE(footer.pages, 0);
  bytes.writeDoubleLE(footer.landmarks, 8);
  bytes.writeUInt32LE(footer.trackBytes, 16);
  bytes.writeUInt32LE(footer.directoryCrc, 20);
  bytes.writeUInt32LE(footer.trackCrc, 24);
  bytes.write(footerMagic, footerBytes - 12, 'latin1');
  bytes.writeUInt32LE(crc32(bytes.subarray(0, footerBytes - 4)), footerBytes - 4);
  return bytes;
}

/**
 * @param size bytes of the whole file, which must be what the footer says
 * @throws {IndexCorruptError} when the file was cut off or the footer damaged
 */
export function decodeFooter(file: string, size: number, bytes: Buffer): SegmentFooter {
  const at = size - footerBytes;
  if (
    bytes.length < footerBytes ||
    bytes.toString('latin1', footerBytes - 12, footerBytes - 4) !== footerMagic
  ) {
    throw new IndexCorruptError(file, Math.max(0, at), 'it does not end like a segment (cut off?)');
  }
  if (bytes.readUInt32LE(footerBytes - 4) !== crc32(bytes.subarray(0, footerBytes - 4))) {
    throw new IndexCorruptError(file, at, 'checksum of the footer');
  }
  const footer = {
    pages: bytes.readUInt32LE(0),
    landmarks: bytes.readDoubleLE(8),
    trackBytes: bytes.readUInt32LE(16),
    directoryCrc: bytes.readUInt32LE(20),
    trackCrc: bytes.readUInt32LE(24),
  };
  const expected = headerBytes + footer.pages * (pageBytes + 4) + footer.trackBytes + footerBytes;
  if (size !== expected)
    throw new IndexCorruptError(file, size, `it has ${size} bytes instead of ${expected}`);
  return footer;
}
