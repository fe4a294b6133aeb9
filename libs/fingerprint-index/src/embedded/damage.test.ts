import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { certainTracks, seededIds, seededQuery, seededTrack } from '../seeded-tracks.js';
import { openEmbeddedIndex, type EmbeddedIndex, type EmbeddedIndexOptions } from './embedded-index.js';
import { nodeFiles } from './durable-files.js';
import { InlineMaintenance } from './maintenance.js';
import { headerBytes, segmentFormatVersion } from './segment-format.js';

const { track } = seededIds;
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'earmark-damage-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

const open = (options: Partial<EmbeddedIndexOptions> = {}): Promise<EmbeddedIndex> =>
  openEmbeddedIndex({ directory, mode: 'write', maintenance: new InlineMaintenance(nodeFiles), ...options });

/** Two tracks in a segment, a third in the log. */
async function fill(): Promise<void> {
  const index = await open();
  await index.add([...seededTrack(track(1), 1), ...seededTrack(track(2), 2)]);
  await index.flush();
  await index.add(seededTrack(track(3), 3));
  await index.close();
}

function fileNamed(pattern: RegExp): string {
  const name = readdirSync(directory).find((file) => pattern.test(file));
  if (name === undefined) throw new Error(`no file like ${pattern.source}`);
  return join(directory, name);
}

function flipBit(path: string, offset: number): void {
  const bytes = readFileSync(path);
  bytes[offset] ^= 16;
  writeFileSync(path, bytes);
}

function setFormatVersion(segment: string, version: number): void {
  const bytes = readFileSync(segment);
  bytes.writeUInt32LE(version, 8);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, headerBytes - 4)), headerBytes - 4);
  writeFileSync(segment, bytes);
}

describe('a damaged index', () => {
  it('names file and page when a page is damaged, says so in its health, and still answers elsewhere', async () => {
    await fill();
    const segment = fileNamed(/emfx$/);
    flipBit(segment, 3 * 4096 + 1000);
    const index = await open();
    try {
      const error = { code: 'index.corrupt', file: segment, offset: 3 * 4096 };
      await expect(index.verify()).rejects.toMatchObject(error);
      await expect(index.candidates(seededQuery(1), 5)).rejects.toMatchObject(error);
      expect(await index.health()).toMatchObject({
        status: 'degraded',
        details: { damagedFile: segment, damagedAt: 3 * 4096 },
      });
      await expect(index.compact()).rejects.toMatchObject({ code: 'index.corrupt' });
      await index.add(seededTrack(track(4), 4));
      expect((await index.health()).tracks).toBe(4);
    } finally {
      await index.close();
    }
  });

  it.each([
    ['the header of a segment', /emfx$/, 20],
    ['the directory of a segment', /emfx$/, -260],
    ['the tracks of a segment', /emfx$/, -100],
    ['the footer of a segment', /emfx$/, -30],
    ['the manifest', /^MANIFEST$/, 40],
    ['the header of the log', /emfl$/, 17],
    ['a group of the log', /emfl$/, 2000],
    ['the length of a group of the log', /emfl$/, 34],
  ])('is refused when %s is damaged', async (_, pattern, offset) => {
    await fill();
    const path = fileNamed(pattern);
    flipBit(path, offset < 0 ? readFileSync(path).length + offset : offset);
    for (const mode of ['write', 'read'] as const) {
      await expect(open({ mode })).rejects.toMatchObject({ code: 'index.corrupt', file: path });
    }
  });

  it('is refused when a segment was cut off', async () => {
    await fill();
    const path = fileNamed(/emfx$/);
    truncateSync(path, 20_000);
    await expect(open()).rejects.toMatchObject({ code: 'index.corrupt', file: path });
    truncateSync(path, 0);
    await expect(open()).rejects.toMatchObject({ code: 'index.corrupt', file: path, offset: 0 });
  });

  it('is refused when a file is missing', async () => {
    await fill();
    const manifest = readFileSync(join(directory, 'MANIFEST'));
    rmSync(join(directory, 'MANIFEST'));
    await expect(open()).rejects.toMatchObject({ code: 'index.corrupt', file: join(directory, 'MANIFEST') });
    writeFileSync(join(directory, 'MANIFEST'), manifest);
    const segment = fileNamed(/emfx$/);
    rmSync(segment);
    await expect(open()).rejects.toMatchObject({ code: 'index.corrupt', file: segment });
  });

  it('leaves out what was cut off at the end of the log, and goes on there', async () => {
    await fill();
    const log = fileNamed(/emfl$/);
    const size = readFileSync(log).length;
    for (const cut of [1, 100, size - 40]) {
      truncateSync(log, size - cut);
      const index = await open();
      expect((await index.health()).tracks).toBe(2);
      await index.add(seededTrack(track(3), 3));
      await index.close();
    }
    const index = await open();
    expect(await certainTracks(index, seededQuery(3))).toEqual([track(3)]);
    await index.close();
  });

  it('is refused by another configuration', async () => {
    await fill();
    await expect(open({ configId: 'emfp@99' })).rejects.toMatchObject({
      code: 'index.config-mismatch',
      expected: 'emfp@99',
    });
  });

  it('is read when it has the format before, and written anew by compact; a later format is refused', async () => {
    await fill();
    const segment = fileNamed(/emfx$/);
    setFormatVersion(segment, 1);
    const index = await open();
    expect(await certainTracks(index, seededQuery(2))).toEqual([track(2)]);
    await index.compact();
    await index.close();
    expect(readdirSync(directory)).not.toContain(basename(segment));
    const written = fileNamed(/emfx$/);
    expect(readFileSync(written).readUInt32LE(8)).toBe(segmentFormatVersion);
    setFormatVersion(written, segmentFormatVersion + 1);
    await expect(open()).rejects.toMatchObject({ code: 'index.config-mismatch' });
  });

  it('removes files that an interrupted writer left', async () => {
    await fill();
    const before = readdirSync(directory).filter((name) => !name.endsWith('.lock'));
    for (const name of ['segment-00000099.emfx', 'MANIFEST.new', 'writer.1.lock.7']) {
      writeFileSync(join(directory, name), 'left over');
    }
    writeFileSync(join(directory, 'notes.txt'), 'not ours');
    const index = await open();
    await index.close();
    const after = readdirSync(directory).filter((name) => !name.endsWith('.lock'));
    expect(after.sort()).toEqual([...before, 'notes.txt'].sort());
  });

  it('keeps what was acknowledged when the disk is full, and goes on when there is room', async () => {
    let full = false;
    const files = {
      ...nodeFiles,
      write: (fd: number, bytes: Uint8Array, position: number): void => {
        if (!full) return nodeFiles.write(fd, bytes, position);
        nodeFiles.write(fd, bytes.subarray(0, 10), position);
        throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
      },
    };
    const index = await open({ files, maintenance: new InlineMaintenance(files) });
    await index.add(seededTrack(track(1), 1));
    full = true;
    await expect(index.add(seededTrack(track(2), 2))).rejects.toMatchObject({ code: 'ENOSPC' });
    await expect(index.flush()).rejects.toMatchObject({ code: 'ENOSPC' });
    expect((await index.health()).status).toBe('degraded');
    expect(await certainTracks(index, seededQuery(1))).toEqual([track(1)]);
    full = false;
    await index.add(seededTrack(track(3), 3));
    await index.flush();
    expect(await index.health()).toMatchObject({ status: 'ok', tracks: 2 });
    await index.close();
    const again = await open();
    expect(await certainTracks(again, seededQuery(2))).toEqual([]);
    expect(await certainTracks(again, seededQuery(3))).toEqual([track(3)]);
    await again.close();
  });
});
