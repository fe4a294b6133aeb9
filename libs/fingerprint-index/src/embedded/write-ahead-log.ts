import * as fs from 'node:fs';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import type { CatalogId, TenantId, TrackId } from '@earmark/kernel';
import { IndexConfigMismatchError, IndexCorruptError, IndexStateError } from '../errors.js';
import { ByteReader, ByteWriter } from './bytes.js';
import type { TrackInput } from './delta.js';
import type { DurableFiles } from './durable-files.js';

/** One change of the index, as the log keeps it. */
export type LogOperation = Readonly<
  { sequence?: number } & (
    { kind: 'add'; tracks: readonly TrackInput[] } | { kind: 'remove'; trackId: string }
  )
>;

/**
 * A log file, version 1, little-endian: a header (`EMFXLOG1`, version u32, bytes of the configuration id u32, the id,
 * CRC-32 of all that), then groups: mark u32, bytes of the content u32, CRC-32 of the content, CRC-32 of these 12
 * bytes, content. A group is written and made durable as one, so only the last one can be incomplete after a crash.
 */
const magic = 'EMFXLOG1';
const logFormatVersion = 1;
const groupMark = 0x50474c45;
const groupHeaderBytes = 16;
const sectorBytes = 512;
const mostGroupBytes = 32 * 2 ** 20;

function encodeLogHeader(configId: string): Buffer {
  const id = Buffer.from(configId, 'utf8');
  const header = Buffer.alloc(16 + id.length + 4);
  header.write(magic, 0, 'latin1');
  header.writeUInt32LE(logFormatVersion, 8);
  header.writeUInt32LE(id.length, 12);
  id.copy(header, 16);
  header.writeUInt32LE(crc32(header.subarray(0, 16 + id.length)), 16 + id.length);
  return header;
}

export function encodeOperation(operation: LogOperation): Buffer {
  const writer = new ByteWriter();
  writer.varint(operation.kind === 'add' ? 1 : 2);
  writer.varint(operation.sequence ?? 0);
  if (operation.kind === 'remove') {
    writer.text(operation.trackId);
    return writer.bytes();
  }
  writer.varint(operation.tracks.length);
  for (const { trackId, chunks } of operation.tracks) {
    writer.text(chunks[0].tenantId);
    writer.text(chunks[0].catalogId);
    writer.text(trackId);
    writer.varint(chunks.length);
    for (const { chunk, startFrame, landmarks } of chunks) {
      writer.varint(chunk);
      writer.varint(startFrame);
      writer.varint(landmarks.hashes.length);
      writer.array(landmarks.hashes);
      writer.array(landmarks.frames);
      writer.array(landmarks.details);
    }
  }
  return writer.bytes();
}

function decodeOperation(reader: ByteReader): LogOperation {
  const kind = reader.varint();
  const number = reader.varint();
  const sequence = number === 0 ? {} : { sequence: number };
  if (kind === 2) return { kind: 'remove', trackId: reader.text(), ...sequence };
  if (kind !== 1) throw new RangeError(`operation ${kind} is not known`);
  const tracks = Array.from({ length: reader.varint() }, () => {
    // Ids were checked before they were written, and the checksum says that they are the same.
    const tenantId = reader.text() as TenantId;
    const catalogId = reader.text() as CatalogId;
    const trackId = reader.text() as TrackId;
    const chunks = Array.from({ length: reader.varint() }, () => {
      const chunk = reader.varint();
      const startFrame = reader.varint();
      const count = reader.varint();
      const hashes = reader.uint32Array(count);
      const frames = reader.uint32Array(count);
      const details = reader.uint8Array(count);
      return { tenantId, catalogId, trackId, chunk, startFrame, landmarks: { hashes, frames, details } };
    });
    return { trackId, chunks };
  });
  return { kind: 'add', tracks, ...sequence };
}

/**
 * Reads a log from a byte offset (0: the start) and hands over its operations in order.
 *
 * @returns offset after the last complete group: where reading or writing goes on
 * @throws {IndexCorruptError} when a group that was durable is damaged
 * @throws {IndexConfigMismatchError} for another format or configuration
 */
export function readLog(
  path: string,
  configId: string,
  from: number,
  take: (operation: LogOperation) => void,
): number {
  const fd = fs.openSync(path, 'r');
  try {
    const size = fs.fstatSync(fd).size;
    let at = from;
    if (from === 0) {
      at = checkLogHeader(path, fd, size, configId);
      if (at === 0) return 0;
    }
    for (;;) {
      const group = readGroup(path, fd, at, size);
      if (!group) return at;
      const reader = new ByteReader(group);
      try {
        while (!reader.finished) take(decodeOperation(reader));
      } catch (cause) {
        if (!(cause instanceof RangeError)) throw cause;
        throw new IndexCorruptError(path, at, 'content of a log group', { cause });
      }
      at += groupHeaderBytes + group.length;
    }
  } finally {
    fs.closeSync(fd);
  }
}

/** Bytes of the header, or 0 when the file was cut off inside it (nothing was acknowledged yet). */
function checkLogHeader(path: string, fd: number, size: number, configId: string): number {
  const start = read(fd, 0, Math.min(size, 16));
  if (start.length < 16) return 0;
  if (start.toString('latin1', 0, 8) !== magic) {
    if (isZero(start)) return 0;
    throw new IndexCorruptError(path, 0, 'it does not start like a log');
  }
  const idBytes = start.readUInt32LE(12);
  const length = 20 + idBytes;
  if (size < length) return 0;
  const header = read(fd, 0, length);
  if (header.readUInt32LE(16 + idBytes) !== crc32(header.subarray(0, 16 + idBytes))) {
    throw new IndexCorruptError(path, 0, 'checksum of the header');
  }
  const version = header.readUInt32LE(8);
  if (version !== logFormatVersion) {
    throw new IndexConfigMismatchError(path, `log format ${logFormatVersion}`, `log format ${version}`);
  }
  const actual = header.toString('utf8', 16, 16 + idBytes);
  if (actual !== configId) throw new IndexConfigMismatchError(path, configId, actual);
  return length;
}

/**
 * The group at an offset; undefined at the end of the log or for a last group that was never completed. After a power
 * cut the file may have its new length while sectors of the last write are still empty.
 */
function readGroup(path: string, fd: number, at: number, size: number): Buffer | undefined {
  if (at + groupHeaderBytes > size) return undefined;
  const header = read(fd, at, groupHeaderBytes);
  if (header.readUInt32LE(0) !== groupMark || header.readUInt32LE(12) !== crc32(header.subarray(0, 12))) {
    const border = Math.min(groupHeaderBytes, sectorBytes - (at % sectorBytes));
    if (
      isZero(header.subarray(0, border)) ||
      (border < groupHeaderBytes && isZero(header.subarray(border)))
    ) {
      return undefined;
    }
    throw new IndexCorruptError(path, at, 'header of a log group');
  }
  const length = header.readUInt32LE(4);
  const end = at + groupHeaderBytes + length;
  if (end > size) return undefined;
  const content = read(fd, at + groupHeaderBytes, length);
  if (header.readUInt32LE(8) === crc32(content)) return content;
  if (end === size && hasEmptySector(content, at + groupHeaderBytes)) return undefined;
  throw new IndexCorruptError(path, at, 'checksum of a log group');
}

function hasEmptySector(content: Buffer, fileOffset: number): boolean {
  let at = (sectorBytes - (fileOffset % sectorBytes)) % sectorBytes;
  for (; at < content.length; at += sectorBytes) {
    if (isZero(content.subarray(at, at + sectorBytes))) return true;
  }
  return false;
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

function read(fd: number, position: number, length: number): Buffer {
  const buffer = Buffer.alloc(length);
  let done = 0;
  while (done < length) {
    const count = fs.readSync(fd, buffer, done, length - done, position + done);
    if (count === 0) return buffer.subarray(0, done);
    done += count;
  }
  return buffer;
}

/** An open log file that grows by durable groups. */
class LogFile {
  private constructor(
    private readonly fd: number,
    public end: number,
    private readonly files: DurableFiles,
  ) {}

  static create(path: string, configId: string, files: DurableFiles): LogFile {
    files.remove(path);
    const fd = files.open(path, 'wx');
    const header = encodeLogHeader(configId);
    try {
      files.write(fd, header, 0);
      files.sync(fd);
      files.syncDirectory(dirname(path));
    } catch (error) {
      // A later log file says that the one before it is complete; an unfinished one must not.
      files.close(fd);
      files.remove(path);
      throw error;
    }
    return new LogFile(fd, header.length, files);
  }

  static resume(path: string, end: number, files: DurableFiles): LogFile {
    const fd = files.open(path, 'r+');
    files.truncate(fd, end);
    files.sync(fd);
    return new LogFile(fd, end, files);
  }

  /** True after a failure that leaves open what the disk holds. */
  damaged = false;

  /** Writes a group and makes it durable. A write that fails (disk full) leaves the file as it was. */
  async append(parts: readonly Buffer[]): Promise<void> {
    const content = Buffer.concat([Buffer.alloc(groupHeaderBytes), ...parts]);
    const length = content.length - groupHeaderBytes;
    content.writeUInt32LE(groupMark, 0);
    content.writeUInt32LE(length, 4);
    content.writeUInt32LE(crc32(content.subarray(groupHeaderBytes)), 8);
    content.writeUInt32LE(crc32(content.subarray(0, 12)), 12);
    try {
      this.files.write(this.fd, content, this.end);
    } catch (error) {
      this.damaged = true;
      this.files.truncate(this.fd, this.end);
      this.damaged = false;
      throw error;
    }
    this.damaged = true;
    await this.files.syncLater(this.fd);
    this.damaged = false;
    this.end += content.length;
  }

  close(): void {
    this.files.close(this.fd);
  }
}

type Waiting = {
  operation: LogOperation;
  bytes: Buffer;
  resolve: () => void;
  reject: (error: unknown) => void;
};

/**
 * Makes operations durable in order, many with one `fsync` when they come together (group commit), and applies each
 * before its promise resolves.
 */
export class WriteAheadLog {
  private readonly queue: Waiting[] = [];
  private pumping: Promise<void> | undefined;
  private broken: unknown;

  private constructor(
    private file: LogFile,
    private readonly configId: string,
    private readonly files: DurableFiles,
    private readonly apply: (operation: LogOperation) => void,
    /** Called between groups, when everything in the file has been applied; may call {@link rotate}. */
    private readonly between: () => void,
  ) {}

  /** Starts a new log file. */
  static create(
    path: string,
    configId: string,
    files: DurableFiles,
    apply: (operation: LogOperation) => void,
    between: () => void,
  ): WriteAheadLog {
    return new WriteAheadLog(LogFile.create(path, configId, files), configId, files, apply, between);
  }

  /** Goes on after the last complete group of a log that {@link readLog} has read. */
  static resume(
    path: string,
    end: number,
    configId: string,
    files: DurableFiles,
    apply: (operation: LogOperation) => void,
    between: () => void,
  ): WriteAheadLog {
    const file = end === 0 ? LogFile.create(path, configId, files) : LogFile.resume(path, end, files);
    return new WriteAheadLog(file, configId, files, apply, between);
  }

  /** Bytes of the current file. */
  get bytes(): number {
    return this.file.end;
  }

  /**
   * Resolves when the operation is durable and applied.
   *
   * @throws {IndexStateError} after a failed `fsync`: what the disk holds is unknown until the index is opened again
   */
  append(operation: LogOperation): Promise<void> {
    return new Promise((resolve, reject) => {
      this.queue.push({ operation, bytes: encodeOperation(operation), resolve, reject });
      this.pumping ??= this.pump();
    });
  }

  /** Begins a new file; for use inside `between`. */
  rotate(path: string): void {
    const next = LogFile.create(path, this.configId, this.files);
    this.file.close();
    this.file = next;
  }

  /** Waits for a moment at which everything in the file has been applied, and acts in it; the action may rotate. */
  async settle(action: () => void): Promise<void> {
    while (this.pumping) await this.pumping;
    action();
  }

  async close(): Promise<void> {
    while (this.pumping) await this.pumping;
    this.file.close();
  }

  private assertSound(): void {
    if (this.broken === undefined) return;
    throw new IndexStateError('the log failed earlier; open the index again', { cause: this.broken });
  }

  private async pump(): Promise<void> {
    await Promise.resolve();
    while (this.queue.length > 0) {
      const group: Waiting[] = [];
      let bytes = 0;
      while (
        this.queue.length > 0 &&
        (group.length === 0 || bytes + this.queue[0].bytes.length <= mostGroupBytes)
      ) {
        const next = this.queue.shift();
        if (!next) break;
        bytes += next.bytes.length;
        group.push(next);
      }
      try {
        this.assertSound();
        await this.file.append(group.map((waiting) => waiting.bytes));
      } catch (error) {
        if (this.file.damaged) this.broken = error;
        for (const waiting of group) waiting.reject(error);
        continue;
      }
      for (const waiting of group) {
        this.apply(waiting.operation);
        waiting.resolve();
      }
      this.between();
    }
    this.pumping = undefined;
  }
}
