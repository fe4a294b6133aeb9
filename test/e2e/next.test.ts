import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase } from '@earmark/storage';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Earmark, samples } from '../support/earmark.ts';
import { excerpt, writeWav } from '../support/wav.ts';

const file = (name: string): string => join(samples, 'tracks', name);
const [rock, metal, folk] = [
  file('rock-lucky-13.opus'),
  file('metal-david04.opus'),
  file('folk-celtic.opus'),
];

type Candidate = Readonly<{
  trackId: string;
  score: number;
  confidence: number;
  cueInMs: number;
  plan: Readonly<Record<string, unknown>>;
  reasons: readonly Readonly<{ code: string; value: number }>[];
}>;
type Next = Readonly<{
  from: Readonly<{ trackId?: string; cueOutMs: number }>;
  candidates: readonly Candidate[];
}>;

describe('earmark next and preview', () => {
  const earmark = new Earmark({ EARMARK_TAG_ON_INGEST: 'false' });
  const scratch = mkdtempSync(join(tmpdir(), 'earmark-next-'));
  const ids = new Map<string, string>();
  const next = async (...words: readonly string[]): Promise<Next> => {
    const { code, stdout, stderr } = await earmark.run('next', ...words);
    expect([code, stderr]).toEqual([0, '']);
    return JSON.parse(stdout) as Next;
  };

  beforeAll(async () => {
    const { code, rows } = await earmark.run('ingest', rock, metal, folk);
    expect(code).toBe(0);
    for (const { path, trackId } of rows) ids.set(path ?? '', trackId ?? '');
  });

  afterAll(() => {
    earmark.remove();
    rmSync(scratch, { recursive: true });
  });

  it('offers the others after a track, named by its file or its id', async () => {
    const byFile = await next(rock);
    expect(byFile.from.trackId).toBe(ids.get(rock));
    expect(byFile.candidates.map(({ trackId }) => trackId).sort()).toEqual(
      [metal, folk].map((path) => ids.get(path) ?? '').sort(),
    );
    for (const { score, confidence, cueInMs, plan, reasons } of byFile.candidates) {
      for (const share of [score, confidence]) {
        expect(share).toBeGreaterThanOrEqual(0);
        expect(share).toBeLessThanOrEqual(1);
      }
      expect(Number.isInteger(cueInMs)).toBe(true);
      expect(Object.keys(plan)).toEqual(
        expect.arrayContaining([
          'type',
          'overlapMs',
          'fromTempoRatio',
          'toTempoRatio',
          'fromGainDb',
          'toGainDb',
        ]),
      );
      expect(reasons.length).toBeGreaterThan(0);
    }
    expect(await next(ids.get(rock) ?? '')).toEqual(byFile);
    expect((await next(rock, '--k', '1')).candidates).toHaveLength(1);
  });

  it('begins near the place that is asked for, also in a file that is no track', async () => {
    const { from } = await next(rock, '--at', '20000');
    expect(Math.abs(from.cueOutMs - 20_000)).toBeLessThan(2_500);
    const wave = join(scratch, 'other.wav');
    const { samples: pcm, sampleRateHz } = await excerpt(file('jazz-system.opus'), 0, 30_000);
    writeWav(wave, pcm, sampleRateHz);
    const other = await next(wave);
    expect(other.from.trackId).toBeUndefined();
    expect(other.candidates).toHaveLength(3);
  });

  it('renders the mix of a track and a file', async () => {
    const copy = join(scratch, 'copy.opus');
    copyFileSync(file('jazz-system.opus'), copy);
    const out = join(scratch, 'mix.wav');
    const { code } = await earmark.run('preview', ids.get(rock) ?? '', copy, '--out', out);
    expect(code).toBe(0);
    const bytes = readFileSync(out);
    expect(bytes.subarray(0, 4).toString()).toBe('RIFF');
    expect(bytes.length).toBeGreaterThan(48_000 * 4 * 20);
  });

  it('says what is wrong', async () => {
    expect((await earmark.run('next')).code).toBe(2);
    expect((await earmark.run('next', rock, '--k', '0')).code).toBe(2);
    expect((await earmark.run('preview', rock, metal, '--out', 'mix.mp3')).code).toBe(2);
    const unknown = await earmark.run('next', `trk_${'0'.repeat(26)}`);
    expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining('transition.not-analyzed')]);
    const absent = await earmark.run('next', join(scratch, 'absent.mp3'));
    expect([absent.code, absent.stderr]).toEqual([1, expect.stringContaining('media.not-found')]);
  });

  it('analyses again what has no analysis, when asked to or when the file is ingested again', async () => {
    const forget = async (): Promise<void> => {
      const database = await openDatabase({ dataDir: earmark.dataDir });
      try {
        await database.pool.query('DELETE FROM track_analysis WHERE track_id = $1', [ids.get(metal)]);
      } finally {
        await database.close();
      }
      expect((await next(rock)).candidates.map(({ trackId }) => trackId)).toEqual([ids.get(folk)]);
    };
    await forget();
    const { code, stdout } = await earmark.run('analyze', '--missing');
    expect([code, JSON.parse(stdout)]).toEqual([0, { analyzed: 1, recoded: 0, withoutAudio: 0, failed: [] }]);
    expect((await next(rock)).candidates).toHaveLength(2);
    await forget();
    expect((await earmark.run('ingest', metal)).code).toBe(0);
    expect((await next(rock)).candidates).toHaveLength(2);
    expect((await earmark.run('delete', ids.get(metal) ?? '')).code).toBe(0);
    expect((await next(rock)).candidates.map(({ trackId }) => trackId)).toEqual([ids.get(folk)]);
  });
});
