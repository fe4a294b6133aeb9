import * as fs from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { IndexLockedError } from '../errors.js';
import type { DurableFiles } from './durable-files.js';

/** What a lock file says about the process that made it. */
type Holder = Readonly<{
  pid: number;
  /** Start of the process as the kernel counts it; empty where there is no /proc. Tells a reused pid apart. */
  startedAt: string;
  /** Host and process-id namespace: a pid means something only inside them. */
  place: string;
  /** ISO time, for people. */
  since: string;
  released: boolean;
}>;

const heartbeatMs = 5_000;
/** A holder on another host or in another container that has not been heard of for so long is taken for dead. */
const foreignTimeoutMs = 60_000;

/**
 * Exclusive right to write to an index folder, held until released or until the process dies.
 *
 * Lock files are numbered `writer.N.lock`; the one with the highest number decides. Taking over means making number N + 1,
 * which the file system grants to one process only, and looking again whether a higher one has appeared; the highest file
 * is never deleted, so two processes cannot both win.
 */
export class WriterLock {
  private readonly heartbeat: NodeJS.Timeout;

  private constructor(
    private readonly path: string,
    private readonly holder: Holder,
    private readonly files: DurableFiles,
  ) {
    this.heartbeat = setInterval(() => {
      const now = new Date();
      fs.utimes(path, now, now, () => undefined);
    }, heartbeatMs);
    this.heartbeat.unref();
  }

  /** @throws {IndexLockedError} when a living process holds the lock */
  static acquire(directory: string, files: DurableFiles): WriterLock {
    for (;;) {
      const highest = Math.max(0, ...lockNumbers(directory));
      if (highest > 0) refuseIfHeld(directory, lockPath(directory, highest));
      const holder: Holder = {
        pid: process.pid,
        startedAt: startOf(process.pid),
        place: placeOfProcess(),
        since: new Date().toISOString(),
        released: false,
      };
      const path = lockPath(directory, highest + 1);
      if (!createWith(path, holder, files)) continue;
      const numbers = lockNumbers(directory);
      if (Math.max(...numbers) > highest + 1) {
        files.remove(path);
        continue;
      }
      removeBelow(directory, highest + 1, files);
      return new WriterLock(path, holder, files);
    }
  }

  release(): void {
    clearInterval(this.heartbeat);
    const fresh = `${this.path}.released`;
    this.files.remove(fresh);
    writeHolder(fresh, { ...this.holder, released: true }, this.files);
    this.files.rename(fresh, this.path);
  }
}

function lockPath(directory: string, number: number): string {
  return join(directory, `writer.${number}.lock`);
}

function lockNumbers(directory: string): number[] {
  return fs.readdirSync(directory).flatMap((name) => {
    const match = /^writer\.(\d+)\.lock$/.exec(name);
    return match ? [Number(match[1])] : [];
  });
}

/** Removes lock files below a number, and drafts that a process left when it was killed. */
function removeBelow(directory: string, number: number, files: DurableFiles): void {
  for (const name of fs.readdirSync(directory)) {
    const match = /^writer\.(\d+)\.lock(\..+)?$/.exec(name);
    if (match && (Number(match[1]) < number || match[2] !== undefined)) files.remove(join(directory, name));
  }
}

function refuseIfHeld(directory: string, path: string): void {
  let holder: Holder;
  let heardOfMs: number;
  try {
    // Lock files appear with their whole content, so what parses has this shape.
    holder = JSON.parse(fs.readFileSync(path, 'utf8')) as Holder;
    heardOfMs = fs.statSync(path).mtimeMs;
  } catch {
    // Gone since the listing (someone else took over), or emptied by a power cut: the next number decides.
    return;
  }
  if (holder.released) return;
  const elsewhere = holder.place !== placeOfProcess();
  const alive = elsewhere
    ? Date.now() - heardOfMs < foreignTimeoutMs
    : isAlive(holder.pid) && startOf(holder.pid) === holder.startedAt;
  if (!alive) return;
  const who = holder.pid === process.pid && !elsewhere ? 'this process' : `process ${holder.pid}`;
  const where = elsewhere ? ` on ${holder.place.split(' ')[0]}` : '';
  throw new IndexLockedError(directory, `${who}${where} since ${holder.since}`);
}

/** Makes the lock file with its content in one step; false when it exists. */
function createWith(path: string, holder: Holder, files: DurableFiles): boolean {
  const draft = `${path}.${process.pid}`;
  files.remove(draft);
  writeHolder(draft, holder, files);
  try {
    files.link(draft, path);
    return true;
  } catch (error) {
    // A process that took the lock meanwhile may have removed the draft.
    if (error instanceof Error && 'code' in error && (error.code === 'EEXIST' || error.code === 'ENOENT'))
      return false;
    throw error;
  } finally {
    files.remove(draft);
  }
}

function writeHolder(path: string, holder: Holder, files: DurableFiles): void {
  const fd = files.open(path, 'wx');
  files.write(fd, Buffer.from(JSON.stringify(holder)), 0);
  files.sync(fd);
  files.close(fd);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/**
 * Start time of a process in clock ticks since boot (field 22 of /proc/PID/stat); nothing where there is no /proc, and
 * for a process that has ended and only waits for its parent.
 */
function startOf(pid: number): string {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? '' : (fields[19] ?? '');
  } catch {
    return '';
  }
}

function placeOfProcess(): string {
  return [hostname(), linkOf('/proc/self/ns/pid'), textOf('/proc/sys/kernel/random/boot_id')]
    .join(' ')
    .trim();
}

function linkOf(path: string): string {
  try {
    return fs.readlinkSync(path);
  } catch {
    return '';
  }
}

function textOf(path: string): string {
  try {
    return fs.readFileSync(path, 'latin1').trim();
  } catch {
    return '';
  }
}
