import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Earmark, finished, samples } from '../support/earmark.ts';
import { excerpt, writeWav } from '../support/wav.ts';

const tracks = readdirSync(join(samples, 'tracks'))
  .sort()
  .map((file) => join(samples, 'tracks', file));
const track = (name: string): string => {
  const path = tracks.find((candidate) => candidate.includes(name));
  if (path === undefined) throw new Error(`no sample ${name}`);
  return path;
};

describe('earmark command line', () => {
  const earmark = new Earmark();
  const scratch = mkdtempSync(join(tmpdir(), 'earmark-e2e-media-'));
  const ids = new Map<string, string>();

  beforeAll(async () => {
    const { code, rows } = await earmark.run(
      'ingest',
      ...tracks,
      '--metadata',
      join(samples, 'metadata.csv'),
    );
    expect(code).toBe(0);
    for (const { path, trackId, status } of rows) {
      expect(status).toBe('ready');
      ids.set(path ?? '', trackId ?? '');
    }
    expect([...ids.keys()].sort()).toEqual(tracks);
  });

  afterAll(() => {
    earmark.remove();
    rmSync(scratch, { recursive: true });
  });

  it('skips what is ready', async () => {
    const { code, rows } = await earmark.run('ingest', ...tracks);
    expect(code).toBe(0);
    for (const { path, trackId, status } of rows) {
      expect(status).toBe('ready');
      expect(trackId).toBe(ids.get(path ?? ''));
    }
  });

  it('recognises a copy under another name and a re-recording of the same audio as duplicates', async () => {
    const original = track('folk');
    const copy = join(scratch, 'copy.opus');
    copyFileSync(original, copy);
    const wave = join(scratch, 'wave.wav');
    const { samples: pcm, sampleRateHz } = await excerpt(original, 0, 58_000);
    writeWav(wave, pcm, sampleRateHz);
    const { code, rows } = await earmark.run('ingest', copy, wave);
    expect(code).toBe(0);
    expect(rows.map(({ status, trackId }) => [status, trackId])).toEqual([
      ['duplicate', ids.get(original)],
      ['duplicate', ids.get(original)],
    ]);
  });

  it('identifies a clip and says where it lies in the track', async () => {
    const clip = join(scratch, 'clip.wav');
    const { samples: pcm, sampleRateHz } = await excerpt(track('rock'), 20_000, 8000);
    writeWav(clip, pcm, sampleRateHz);
    const { code, rows } = await earmark.run('identify', clip);
    expect(code).toBe(0);
    const [match] = rows[0]?.matches ?? [];
    expect(match?.trackId).toBe(ids.get(track('rock')));
    expect(match?.probability).toBeGreaterThan(0.99);
    expect(match?.score).toBeLessThanOrEqual(1);
    const start = (match?.referenceStartMs ?? 0) - (match?.queryStartMs ?? 0) * (match?.speedRatio ?? 1);
    expect(Math.abs(start - 20_000)).toBeLessThan(100);
  });

  it('answers nothing for noise', async () => {
    const noise = join(scratch, 'noise.wav');
    let state = 1;
    writeWav(
      noise,
      Float32Array.from({ length: 110_250 }, () => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return state / 2 ** 33;
      }),
      11_025,
    );
    const { rows } = await earmark.run('identify', noise);
    expect(rows[0]?.matches).toEqual([]);
  });

  it('names each bad input, takes the good ones, and exits with 1', async () => {
    const bad = {
      'empty.mp3': Buffer.alloc(0),
      'text.mp3': Buffer.from('this is no music\n'.repeat(40)),
      'playlist.mp3': Buffer.from('#EXTM3U\n#EXTINF:10,\nhttp://127.0.0.1:9/a.ts\n'),
    };
    for (const [name, bytes] of Object.entries(bad)) writeFileSync(join(scratch, name), bytes);
    const silent = join(scratch, 'silent.wav');
    writeWav(silent, new Float32Array(80_000), 8000);
    const paths = [
      ...Object.keys(bad).map((name) => join(scratch, name)),
      silent,
      join(scratch, 'absent.mp3'),
    ];
    const before = await earmark.run('stats');
    const { code, rows } = await earmark.run('ingest', ...paths, track('jazz'));
    expect(code).toBe(1);
    const codes = Object.fromEntries(
      rows.map(({ path, error, status }) => [path ?? '', error?.code ?? status]),
    );
    expect(codes).toEqual({
      [join(scratch, 'empty.mp3')]: 'media.empty',
      [join(scratch, 'text.mp3')]: 'media.not-media',
      [join(scratch, 'playlist.mp3')]: 'media.playlist',
      [silent]: 'media.silent',
      [join(scratch, 'absent.mp3')]: 'media.not-found',
      [track('jazz')]: 'ready',
    });
    expect((await earmark.run('stats')).stdout).toBe(before.stdout);
  });

  it('exits with 2 and the usage for wrong words', async () => {
    for (const words of [['ingest'], ['identify', '--no-such-flag', 'x'], ['nothing']]) {
      const { code, stderr } = await finished(earmark.start(...words));
      expect(code).toBe(2);
      expect(stderr).toContain('usage: earmark');
    }
  });

  it('lets others read, and refuses a second writer by name', async () => {
    const long = join(scratch, 'long.wav');
    const rate = 8000;
    writeWav(
      long,
      Float32Array.from({ length: rate * 1200 }, (_, i) => Math.sin(i * (0.1 + (i % 97_000) / 1e6))),
      rate,
    );
    const writer = earmark.start('ingest', long, '--json');
    const writing = finished(writer);
    const locksBefore = locks(earmark);
    await expect.poll(() => locks(earmark), { timeout: 20_000 }).not.toEqual(locksBefore);
    const [second, reader] = await Promise.all([earmark.run('ingest', track('folk')), earmark.run('stats')]);
    writer.kill('SIGTERM');
    await writing;
    expect(second.code).toBe(1);
    expect(second.stderr).toContain('index.locked');
    expect(reader.code).toBe(0);
  });

  it('resumes after kill -9 in the middle of an ingest', async () => {
    const other = new Earmark();
    try {
      const child = other.start('ingest', ...tracks, '--json');
      const done = finished(child);
      child.stdout?.once('data', () => child.kill('SIGKILL'));
      const acknowledged = (await done).rows;
      expect(acknowledged.length).toBeLessThan(tracks.length);
      const { code, rows } = await other.run('ingest', ...tracks);
      expect(code).toBe(0);
      expect(rows.every(({ status }) => status === 'ready')).toBe(true);
      for (const { path, trackId } of acknowledged) {
        expect(rows.find((row) => row.path === path)?.trackId).toBe(trackId);
      }
      const stats = JSON.parse((await other.run('stats')).stdout) as {
        tracks: number;
        index: { tracks: number };
      };
      expect([stats.tracks, stats.index.tracks]).toEqual([tracks.length, tracks.length]);
    } finally {
      other.remove();
    }
  });

  it('ingests fingerprints made elsewhere, and refuses a damaged file', async () => {
    const other = new Earmark();
    try {
      const file = join(scratch, 'some.emfp');
      const made = await other.run('fingerprint', track('metal'), track('latin'), '--out', file);
      expect(made.code).toBe(0);
      expect((await other.run('ingest', file)).rows.map(({ status }) => status)).toEqual(['ready', 'ready']);
      const clip = join(scratch, 'metal.wav');
      const { samples: pcm, sampleRateHz } = await excerpt(track('metal'), 10_000, 6000);
      writeWav(clip, pcm, sampleRateHz);
      expect((await other.run('identify', clip)).rows[0]?.matches?.[0]?.path).toBe(track('metal'));
      truncateSync(file, readFileSync(file).length - 9);
      const damaged = await other.run('ingest', file);
      expect(damaged.code).toBe(1);
      expect(damaged.rows.at(-1)?.error?.code).toBe('fingerprint.bad-file');
    } finally {
      other.remove();
    }
  });

  it('forgets a deleted track', async () => {
    const clip = join(scratch, 'ambient.wav');
    const { samples: pcm, sampleRateHz } = await excerpt(track('ambient'), 10_000, 10_000);
    writeWav(clip, pcm, sampleRateHz);
    const id = ids.get(track('ambient')) ?? '';
    expect((await earmark.run('identify', clip)).rows[0]?.matches?.[0]?.trackId).toBe(id);
    expect((await earmark.run('delete', id)).code).toBe(0);
    expect((await earmark.run('identify', clip)).rows[0]?.matches).toEqual([]);
    expect((await earmark.run('delete', id)).rows[0]?.error?.code).toBe('catalog.not-found');
  });
});

/** Names of the index's lock files: a new writer makes a new one. */
function locks({ dataDir }: Earmark): readonly string[] {
  return readdirSync(join(dataDir, 'index')).filter((name) => name.endsWith('.lock'));
}
