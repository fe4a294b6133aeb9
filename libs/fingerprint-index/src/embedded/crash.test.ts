import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CrashFolder } from './crash-harness.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'earmark-crash-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

describe('an index whose process is killed', () => {
  // One of each kind that matters most; the e2e suite goes through all kinds a hundred times.
  it('keeps every acknowledged write and no acknowledged removal', { timeout: 240_000 }, async () => {
    const folder = new CrashFolder(directory, 1);
    const points = ['log write', 'flush write', 'merge write', 'manifest rename', 'file remove'] as const;
    for (const point of points) {
      const report = await folder.crash(point, 4);
      expect(report.faults, point).toEqual([]);
      expect(report.killed, point).toBe(true);
    }
  });
});
