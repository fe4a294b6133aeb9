import * as fs from 'node:fs';
import { basename } from 'node:path';
import type { Random } from '@earmark/kernel';
import { nodeFiles, type DurableFiles } from './durable-files.js';

/** What an index does on disk, told apart by file and phase. */
export const crashPoints = [
  'log write',
  'log sync',
  'log open',
  'flush write',
  'flush sync',
  'merge write',
  'merge sync',
  'manifest write',
  'manifest sync',
  'manifest rename',
  'file remove',
  'lock write',
  'lock link',
] as const;

/** A kind of call at which a test ends the process. */
export type CrashPoint = (typeof crashPoints)[number];

/**
 * The file system, until the n-th call of a kind: there the process is killed by SIGKILL, with half a write on disk if
 * the call was a write, just before or just after it if it was another. For tests.
 */
export class CrashingFiles implements DurableFiles {
  /** Set by the test around maintenance, so that flush and merge can be told apart. */
  phase: 'flush' | 'merge' = 'flush';
  private readonly kinds = new Map<number, string>();
  private calls = 0;

  constructor(
    private readonly point: CrashPoint,
    private readonly occurrence: number,
    private readonly random: Random,
  ) {}

  open(path: string, flags: 'wx' | 'r+'): number {
    const kind = this.kindOf(path);
    const before = this.reached(`${kind} open`) && this.dieBeforeHalfTheTime();
    const fd = nodeFiles.open(path, flags);
    if (before === false && this.due(`${kind} open`)) this.die();
    this.kinds.set(fd, kind);
    return fd;
  }

  write(fd: number, bytes: Uint8Array, position: number): void {
    if (this.reached(`${this.kinds.get(fd)} write`)) {
      const cut = Math.floor(this.random.next() * (bytes.length + 1));
      if (this.random.next() < 0.5 || this.kinds.get(fd) !== 'log') {
        nodeFiles.write(fd, bytes.subarray(0, cut), position);
      } else {
        nodeFiles.write(fd, withEmptySector(bytes, position, this.random), position);
      }
      this.die();
    }
    nodeFiles.write(fd, bytes, position);
  }

  sync(fd: number): void {
    this.around(`${this.kinds.get(fd)} sync`, () => nodeFiles.sync(fd));
  }

  async syncLater(fd: number): Promise<void> {
    const due = this.reached(`${this.kinds.get(fd)} sync`);
    if (due) this.dieBeforeHalfTheTime();
    await nodeFiles.syncLater(fd);
    if (due) this.die();
  }

  truncate(fd: number, length: number): void {
    nodeFiles.truncate(fd, length);
  }

  close(fd: number): void {
    this.kinds.delete(fd);
    nodeFiles.close(fd);
  }

  rename(from: string, to: string): void {
    this.around(`${this.kindOf(to)} rename`, () => nodeFiles.rename(from, to));
  }

  link(existing: string, path: string): void {
    this.around('lock link', () => nodeFiles.link(existing, path));
  }

  remove(path: string): void {
    if (!fs.existsSync(path)) return;
    this.around('file remove', () => nodeFiles.remove(path));
  }

  syncDirectory(directory: string): void {
    nodeFiles.syncDirectory(directory);
  }

  private kindOf(path: string): string {
    const name = basename(path);
    if (name.startsWith('log-')) return 'log';
    if (name.startsWith('segment-')) return this.phase;
    return name.startsWith('MANIFEST') ? 'manifest' : 'lock';
  }

  private around(call: string, act: () => void): void {
    const due = this.reached(call);
    if (due) this.dieBeforeHalfTheTime();
    act();
    if (due) this.die();
  }

  private reached(call: string): boolean {
    if (call === this.point) this.calls++;
    return this.due(call);
  }

  private due(call: string): boolean {
    return call === this.point && this.calls === this.occurrence;
  }

  private dieBeforeHalfTheTime(): false {
    if (this.random.next() < 0.5) this.die();
    return false;
  }

  private die(): never {
    process.kill(process.pid, 'SIGKILL');
    // The signal ends the process before the call returns to JavaScript.
    throw new Error('still alive');
  }
}

/** As a power cut may leave a write: one sector of the file never reached the disk. */
function withEmptySector(bytes: Uint8Array, position: number, random: Random): Uint8Array {
  // Not `slice`: a buffer gives a view of itself, and its `fill` refuses to be told of bytes beyond its end.
  const torn = Uint8Array.from(bytes);
  const first = Math.floor(position / 512);
  const last = Math.floor((position + bytes.length - 1) / 512);
  const sector = first + Math.floor(random.next() * (last - first + 1));
  torn.fill(0, Math.max(0, sector * 512 - position), Math.max(0, (sector + 1) * 512 - position));
  return torn;
}
