import { mkdtemp, readFile, rm, writeFile, cp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BeatSession, bundledBeatModelFolder } from './beat-session.js';

const golden = JSON.parse(
  await readFile(new URL('../../../training/golden/beat-1.json', import.meta.url), 'utf8'),
) as { rows: number; trains: number[]; downbeats: number[] };

/** The rows that training/beat/export_beat_net.py answered. */
function goldenRows(columns: number): Float32Array {
  return Float32Array.from({ length: golden.rows * columns }, (_, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    return ((column * 7919 + row * 104729) % 1000) / 1000;
  });
}

function goldenSiblings(each: number): Int32Array {
  return Int32Array.from({ length: golden.rows * each }, (_, i) => {
    const [row, k] = [Math.floor(i / each), i % each];
    return (row * 5 + k * 3) % (golden.rows + 1);
  });
}

describe('BeatSession', () => {
  let session: BeatSession;
  beforeAll(async () => {
    session = await BeatSession.open();
  });
  afterAll(() => session.close());

  it('answers as the network did in training', async () => {
    const { trains, downbeats } = session.manifest;
    const siblings = goldenSiblings(trains.siblings);
    const scores = await session.scoreTrains(goldenRows(trains.columns), siblings, golden.rows);
    const logits = await session.scoreDownbeats(goldenRows(downbeats.columns), golden.rows);
    golden.trains.forEach((want, i) => expect(scores[i]).toBeCloseTo(want, 3));
    golden.downbeats.forEach((want, i) => expect(logits[i]).toBeCloseTo(want, 3));
  });

  it('refuses rows of another width', async () => {
    const { columns, siblings } = session.manifest.trains;
    for (const [wide, each] of [
      [10, siblings],
      [columns, siblings - 1],
    ])
      await expect(
        session.scoreTrains(new Float32Array(3 * wide), new Int32Array(3 * each), 3),
      ).rejects.toMatchObject({ code: 'model.shape-mismatch' });
  });

  it('refuses a file that is not the one in the manifest', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'earmark-beat-'));
    try {
      await cp(bundledBeatModelFolder, folder, { recursive: true });
      await writeFile(path.join(folder, session.manifest.trains.file), 'not a graph');
      await expect(BeatSession.open(folder)).rejects.toMatchObject({ code: 'model.hash-mismatch' });
      await rm(path.join(folder, 'manifest.json'));
      await expect(BeatSession.open(folder)).rejects.toMatchObject({ code: 'model.not-found' });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
