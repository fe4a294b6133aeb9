import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeFiles } from './durable-files.js';
import { WriterLock } from './writer-lock.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'earmark-lock-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

const acquire = (): WriterLock => WriterLock.acquire(directory, nodeFiles);

/** Rewrites the holder that the lock file names. */
function pretend(changes: Record<string, unknown>): string {
  const [name] = readdirSync(directory);
  const path = join(directory, name);
  writeFileSync(path, JSON.stringify({ ...(JSON.parse(readFileSync(path, 'utf8')) as object), ...changes }));
  return path;
}

describe('the writer lock', () => {
  it('refuses a second writer and says who holds it', () => {
    const lock = acquire();
    expect(acquire).toThrow(expect.objectContaining({ code: 'index.locked', directory }));
    expect(acquire).toThrow(/this process since \d{4}-/);
    lock.release();
    acquire().release();
  });

  it('leaves one small file behind, however often it was taken', () => {
    for (let i = 0; i < 5; i++) acquire().release();
    expect(readdirSync(directory)).toEqual(['writer.5.lock']);
  });

  it('is free when its process is gone', async () => {
    const child = spawn(process.execPath, ['-e', '']);
    await once(child, 'exit');
    acquire();
    pretend({ pid: child.pid });
    acquire().release();
  });

  it('is free when the process id went to another process', () => {
    acquire();
    pretend({ startedAt: '1' });
    acquire().release();
  });

  it('is held by a process of another host as long as that is heard of', () => {
    acquire();
    const path = pretend({ place: 'elsewhere pid:[1] 2', pid: 999 });
    expect(acquire).toThrow(/process 999 on elsewhere/);
    const longAgo = new Date(Date.now() - 10 * 60_000);
    utimesSync(path, longAgo, longAgo);
    acquire().release();
    expect(hostname()).not.toBe('elsewhere');
  });

  it('goes to one of two that take it over at once', () => {
    acquire();
    pretend({ startedAt: '1' });
    // While the first one links its file, a second one comes through from start to end.
    let inner: WriterLock | undefined;
    const files = {
      ...nodeFiles,
      link: (existing: string, path: string): void => {
        inner = acquire();
        nodeFiles.link(existing, path);
      },
    };
    expect(() => WriterLock.acquire(directory, files)).toThrow(
      expect.objectContaining({ code: 'index.locked' }),
    );
    inner?.release();
  });

  it('is not lost to a taker that slept through two owners', () => {
    acquire();
    pretend({ startedAt: '1' });
    let inner: WriterLock | undefined;
    const files = {
      ...nodeFiles,
      link: (existing: string, path: string): void => {
        if (!inner) {
          acquire().release();
          acquire().release();
          inner = acquire();
          // The draft was cleared away together with the old locks.
          writeFileSync(existing, '{}');
        }
        nodeFiles.link(existing, path);
      },
    };
    expect(() => WriterLock.acquire(directory, files)).toThrow(
      expect.objectContaining({ code: 'index.locked' }),
    );
    inner?.release();
  });
});
