import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { describeFingerprintIndex } from '../contract.js';
import { nodeFiles } from './durable-files.js';
import { InlineMaintenance } from './maintenance.js';
import { openEmbeddedIndex } from './embedded-index.js';
import { seededIds, seededQuery, seededTrack } from '../seeded-tracks.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'earmark-index-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

describeFingerprintIndex('the embedded index', () => openEmbeddedIndex({ directory, mode: 'write' }), {
  alignments: true,
});

describeFingerprintIndex(
  'the embedded index that writes a segment after every few tracks',
  () =>
    openEmbeddedIndex({
      directory,
      mode: 'write',
      deltaLandmarks: 4000,
      closingLandmarks: 1,
      maintenance: new InlineMaintenance(nodeFiles),
      mergePolicy: { growth: 1 },
    }),
  { alignments: true },
);

it('finds a clear excerpt with a budget far below the postings of its hashes', async () => {
  const maintenance = new InlineMaintenance(nodeFiles);
  const index = await openEmbeddedIndex({ directory, mode: 'write', maintenance });
  try {
    for (let n = 1; n <= 4; n++) await index.add(seededTrack(seededIds.track(n), n));
    await index.flush();
    const query = seededQuery(3, { startFrame: 1200 });
    const [all] = await index.candidates(query, 1);
    const [limited] = await index.candidates(
      { ...query, postingBudget: query.landmarks.hashes.length * 3 },
      1,
    );
    expect(limited.trackId).toBe(seededIds.track(3));
    expect(limited.evidence).toBeLessThan(all.evidence);
    expect(limited.offsetFrames).toBeCloseTo(all.offsetFrames ?? NaN, -1);
  } finally {
    await index.close();
  }
});

it('shows a reader the index that was made anew in its folder, files of the same name included', async () => {
  const make = async (n: number): Promise<void> => {
    const index = await openEmbeddedIndex({
      directory,
      mode: 'write',
      maintenance: new InlineMaintenance(nodeFiles),
    });
    await index.add(seededTrack(seededIds.track(n), n));
    await index.flush();
    await index.close();
  };
  await make(1);
  const reader = await openEmbeddedIndex({ directory, mode: 'read' });
  try {
    const found = async (n: number): Promise<string | undefined> =>
      (await reader.candidates(seededQuery(n, { startFrame: 1200 }), 1))[0]?.trackId;
    expect(await found(1)).toBe(seededIds.track(1));
    rmSync(directory, { recursive: true });
    mkdirSync(directory);
    await expect(reader.refresh()).rejects.toMatchObject({ code: 'index.bad-state' });
    expect(await found(1)).toBe(seededIds.track(1));
    await make(2);
    await reader.refresh();
    expect(await found(2)).toBe(seededIds.track(2));
    expect(await found(1)).not.toBe(seededIds.track(1));
  } finally {
    await reader.close();
  }
});
