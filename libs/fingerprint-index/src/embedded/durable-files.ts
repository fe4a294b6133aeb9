import * as fs from 'node:fs';
import { dirname } from 'node:path';

/**
 * Every change that an index makes on disk goes through these calls, in the order in which durability needs them. Tests
 * give an implementation that dies or tears a write at a chosen call.
 */
export interface DurableFiles {
  /** Makes a file that must not exist yet, or opens one to append to it; returns a file descriptor. */
  open(path: string, flags: 'wx' | 'r+'): number;
  /** Writes all bytes at a byte position. */
  write(fd: number, bytes: Uint8Array, position: number): void;
  /** Returns when the file's content has reached the disk. */
  sync(fd: number): void;
  /** As {@link sync}, without blocking the event loop. */
  syncLater(fd: number): Promise<void>;
  truncate(fd: number, length: number): void;
  close(fd: number): void;
  /** Replaces `to` in one step, and makes that durable. */
  rename(from: string, to: string): void;
  /** Gives an existing file a second name; fails when that name exists. */
  link(existing: string, path: string): void;
  /** Removes a file; a missing one is no error. */
  remove(path: string): void;
  /** Makes the names inside a folder durable. */
  syncDirectory(directory: string): void;
}

/** The file system of this machine. */
export const nodeFiles: DurableFiles = {
  open: (path, flags) => fs.openSync(path, flags),
  write: (fd, bytes, position) => {
    let done = 0;
    while (done < bytes.length) done += fs.writeSync(fd, bytes, done, bytes.length - done, position + done);
  },
  sync: (fd) => fs.fsyncSync(fd),
  syncLater: (fd) =>
    new Promise((resolve, reject) => {
      fs.fdatasync(fd, (error) => (error ? reject(error) : resolve()));
    }),
  truncate: (fd, length) => fs.ftruncateSync(fd, length),
  close: (fd) => fs.closeSync(fd),
  rename: (from, to) => {
    fs.renameSync(from, to);
    nodeFiles.syncDirectory(dirname(to));
  },
  link: (existing, path) => fs.linkSync(existing, path),
  remove: (path) => fs.rmSync(path, { force: true }),
  syncDirectory: (directory) => {
    const fd = fs.openSync(directory, 'r');
    try {
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
  },
};
