import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { crashPoints } from '../../libs/fingerprint-index/dist/embedded/crash-files.js';
import { CrashFolder, occurrenceFor } from '../../libs/fingerprint-index/dist/embedded/crash-harness.js';

/** Kills of the whole suite; every fifth comes from outside while a worker thread flushes and merges. */
const kills = 100;
/** Crashes that one folder goes through before a fresh one is taken. */
const crashesPerFolder = 10;

describe('the embedded index, killed a hundred times', () => {
  let root: string;
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'earmark-kill-'));
  });
  afterAll(() => {
    rmSync(root, { recursive: true, force: true });
  });

  it(
    'has every acknowledged track after each kill and no removed one',
    { timeout: 30 * 60_000 },
    async () => {
      const hit = new Map<string, number>();
      let folder = new CrashFolder(root, 0);
      let killed = 0;
      let inside = 0;
      for (let seed = 1; killed < kills && seed < 2 * kills; seed++) {
        if (seed % crashesPerFolder === 1) folder = new CrashFolder(join(root, String(seed)), seed);
        const point = seed % 5 === 0 ? undefined : crashPoints[inside++ % crashPoints.length];
        const report = await folder.crash(point, point ? occurrenceFor(point, seed) : 3 + (seed % 40));
        expect(report.faults, `seed ${seed}, ${point ?? 'from outside'}`).toEqual([]);
        if (!report.killed) continue;
        killed++;
        const name = point ?? 'from outside';
        hit.set(name, (hit.get(name) ?? 0) + 1);
      }
      expect(killed).toBe(kills);
      for (const point of [...crashPoints, 'from outside']) expect(hit.get(point), point).toBeGreaterThan(0);
    },
  );
});
