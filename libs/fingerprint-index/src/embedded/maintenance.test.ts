import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { certainTracks, seededIds, seededQuery, seededTrack } from '../seeded-tracks.js';
import { nodeFiles } from './durable-files.js';
import { InlineMaintenance } from './maintenance.js';
import { MaintenanceThread } from './maintenance-thread.js';
import { openEmbeddedIndex, type EmbeddedIndex, type EmbeddedIndexOptions } from './embedded-index.js';

const { track } = seededIds;

let directory: string;
const opened: EmbeddedIndex[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'earmark-maintenance-'));
});
afterEach(async () => {
  for (const index of opened.splice(0)) await index.close();
  rmSync(directory, { recursive: true, force: true });
});

async function open(options: Partial<EmbeddedIndexOptions> = {}): Promise<EmbeddedIndex> {
  const index = await openEmbeddedIndex({
    directory,
    mode: 'write',
    closingLandmarks: Infinity,
    maintenance: new InlineMaintenance(nodeFiles),
    ...options,
  });
  opened.push(index);
  return index;
}

const segmentFiles = (): string[] => readdirSync(directory).filter((name) => name.endsWith('.emfx'));

async function fill(index: EmbeddedIndex, from: number, to: number): Promise<void> {
  for (let n = from; n <= to; n++) await index.add(seededTrack(track(n), n));
}

describe('segments of the embedded index', () => {
  it('are merged into one that finds the same, in less than 5 bytes a landmark', async () => {
    const index = await open();
    await fill(index, 1, 5);
    await index.flush();
    await fill(index, 6, 6);
    await index.flush();
    expect(segmentFiles()).toHaveLength(2);
    const before = await index.candidates(seededQuery(2), 5);
    await index.compact();
    expect(segmentFiles()).toHaveLength(1);
    expect(await index.candidates(seededQuery(2), 5)).toEqual(before);
    const { landmarks, tracks } = await index.health();
    expect(tracks).toBe(6);
    const bytes = statSync(join(directory, segmentFiles()[0])).size;
    expect(bytes / landmarks).toBeLessThan(5);
  });

  it('give back the space of removed tracks', async () => {
    const index = await open();
    await fill(index, 1, 10);
    await index.flush();
    const before = (await index.health()).bytes;
    for (const n of [2, 5, 9]) await index.remove(track(n));
    await index.compact();
    const after = await index.health();
    expect(after.bytes).toBeLessThan(0.75 * before);
    expect(after).toMatchObject({ tracks: 7, details: { removedTracks: 0 } });
    expect(await certainTracks(index, seededQuery(5))).toEqual([]);
    expect(await certainTracks(index, seededQuery(6))).toEqual([track(6)]);
  });

  it('disappear when all their tracks are removed', async () => {
    const index = await open();
    await fill(index, 1, 2);
    await index.flush();
    await index.remove(track(1));
    await index.remove(track(2));
    await index.compact();
    expect(segmentFiles()).toEqual([]);
    expect(await index.health()).toMatchObject({ tracks: 0, landmarks: 0, chunks: 0 });
  });

  it('know what was removed and replaced while they were written', async () => {
    const index = await open();
    await fill(index, 1, 4);
    const flushed = index.flush();
    await index.remove(track(1));
    await index.add(seededTrack(track(2), 22));
    await flushed;
    const check = async (place: EmbeddedIndex): Promise<void> => {
      expect(await certainTracks(place, seededQuery(1))).toEqual([]);
      expect(await certainTracks(place, seededQuery(2))).toEqual([]);
      expect(await certainTracks(place, seededQuery(22))).toEqual([track(2)]);
      expect(await certainTracks(place, seededQuery(3))).toEqual([track(3)]);
      expect((await place.health()).tracks).toBe(3);
    };
    await check(index);
    await index.close();
    await check(await open());
  });

  it('keep the log short: what is in a segment is in no log', async () => {
    const index = await open();
    await fill(index, 1, 4);
    const before = (await index.health()).bytes;
    await index.flush();
    const after = await index.health();
    expect(after.bytes).toBeLessThan(before);
    expect(readdirSync(directory).filter((name) => name.endsWith('.emfl'))).toHaveLength(1);
    expect(after.details).toMatchObject({ segments: 1, deltaLandmarks: 0 });
  });

  it('are written in the background while tracks come in, and merged by size', async () => {
    const index = await open({
      deltaLandmarks: 6000,
      maintenance: new MaintenanceThread(),
    });
    await fill(index, 1, 24);
    await index.flush();
    expect(Number((await index.health()).details.segments)).toBeLessThan(5);
    for (const n of [1, 9, 17, 24]) expect(await certainTracks(index, seededQuery(n))).toEqual([track(n)]);
  });

  it('know what was removed while a worker thread wrote them', async () => {
    const index = await open({ maintenance: new MaintenanceThread() });
    await fill(index, 1, 4);
    const flushed = index.flush();
    await index.remove(track(1));
    await flushed;
    expect(await certainTracks(index, seededQuery(1))).toEqual([]);
    expect(await certainTracks(index, seededQuery(4))).toEqual([track(4)]);
  });
});

describe('an index opened for reading', () => {
  it('sees what was durable when it was opened, and more after a refresh', async () => {
    const writer = await open();
    await fill(writer, 1, 2);
    await writer.flush();
    await writer.add(seededTrack(track(3), 3));
    const reader = await open({ mode: 'read' });
    expect((await reader.health()).tracks).toBe(3);
    await writer.add(seededTrack(track(4), 4));
    await writer.remove(track(1));
    expect(await certainTracks(reader, seededQuery(4))).toEqual([]);
    expect(await certainTracks(reader, seededQuery(1))).toEqual([track(1)]);
    await reader.refresh();
    expect(await certainTracks(reader, seededQuery(4))).toEqual([track(4)]);
    expect(await certainTracks(reader, seededQuery(1))).toEqual([]);
  });

  it('goes on answering from files that the writer has replaced, until it is refreshed', async () => {
    const writer = await open();
    await fill(writer, 1, 3);
    await writer.flush();
    const reader = await open({ mode: 'read' });
    await fill(writer, 4, 5);
    await writer.remove(track(2));
    await writer.compact();
    expect(await certainTracks(reader, seededQuery(2))).toEqual([track(2)]);
    await reader.refresh();
    expect(await certainTracks(reader, seededQuery(2))).toEqual([]);
    expect(await certainTracks(reader, seededQuery(5))).toEqual([track(5)]);
    expect((await reader.health()).details).toMatchObject({ mode: 'read', segments: 1 });
  });

  it('refuses writes, and a folder without an index', async () => {
    await expect(open({ mode: 'read' })).rejects.toMatchObject({ code: 'index.bad-state' });
    await (await open()).close();
    const reader = await open({ mode: 'read' });
    await expect(reader.add(seededTrack(track(1), 1))).rejects.toMatchObject({ code: 'index.bad-state' });
    await expect(reader.remove(track(1))).rejects.toMatchObject({ code: 'index.bad-state' });
  });
});
