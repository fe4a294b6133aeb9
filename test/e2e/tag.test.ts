import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { seededRandom } from '@earmark/kernel';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Earmark, samples, type Row, type Run } from '../support/earmark.ts';
import { excerpt, writeWav, writeWideWav } from '../support/wav.ts';

type Tagged = Row &
  Readonly<{
    tags: readonly Readonly<{ facet: string; tag: string }>[];
    segments: readonly Readonly<{ scores?: Readonly<Record<string, Readonly<Record<string, number>>>> }>[];
    scores?: Readonly<Record<string, Readonly<Record<string, number>>>>;
    embedding?: readonly number[];
    sentence: Readonly<{ en: string; zh: string }>;
  }>;

const rate = 16_000;
const earmark = new Earmark();
const folder = mkdtempSync(join(tmpdir(), 'earmark-tag-'));
const rows = new Map<string, Tagged>();
let run: Run;

beforeAll(async () => {
  const random = seededRandom(7);
  const signals: Readonly<Record<string, (at: number) => number>> = {
    'silence.wav': () => 0,
    'tone.wav': (at) => 0.125 * Math.sin((2 * Math.PI * 440 * at) / rate),
    'noise.wav': () => 0.3 * (2 * random.next() - 1),
    'hiss.wav': () => 10 ** (-70 / 20) * Math.sqrt(3) * (2 * random.next() - 1),
  };
  for (const [name, signal] of Object.entries(signals))
    writeWav(
      join(folder, name),
      Float32Array.from({ length: 10 * rate }, (_, at) => signal(at)),
      rate,
    );
  const music = join(samples, 'tracks', 'rock-lucky-13.opus');
  for (const [name, lengthMs] of [
    ['one-second.wav', 1000],
    ['moment.wav', 100],
  ] as const) {
    const { samples: pcm, sampleRateHz } = await excerpt(music, 0, lengthMs);
    writeWav(join(folder, name), pcm, sampleRateHz);
  }
  const narrow = await excerpt(music, 0, 6000);
  writeWav(join(folder, 'narrow.wav'), narrow.samples, narrow.sampleRateHz);
  const wide = Float32Array.from({ length: 4 * narrow.samples.length }, (_, i) => {
    const at = Math.floor(i / 4);
    const [here = 0, next = 0] = [narrow.samples[at], narrow.samples[at + 1]];
    return here + ((i % 4) / 4) * (next - here);
  });
  writeWideWav(join(folder, 'wide.wav'), wide, 4 * narrow.sampleRateHz, 6);
  writeFileSync(join(folder, 'empty.wav'), '');
  writeFileSync(join(folder, 'text.mp3'), 'no music at all');
  const names = [
    ...Object.keys(signals),
    'one-second.wav',
    'moment.wav',
    'narrow.wav',
    'wide.wav',
    'empty.wav',
    'text.mp3',
    'absent.wav',
  ];
  run = await earmark.run('tag', music, ...names.map((name) => join(folder, name)), '--all');
  for (const row of run.rows) rows.set(basename(row.path ?? ''), row as Tagged);
});
afterAll(() => {
  earmark.remove();
  rmSync(folder, { recursive: true });
});

const tagsOf = (name: string): readonly string[] =>
  (rows.get(name)?.tags ?? []).map(({ facet, tag }) => `${facet}/${tag}`);

describe('earmark tag', () => {
  it('says nothing of a bare tone and of white noise, and of silence that it is silent', () => {
    expect(tagsOf('tone.wav')).toEqual([]);
    expect(tagsOf('noise.wav')).toEqual([]);
    expect(tagsOf('silence.wav')).toEqual(['activity/silence']);
    expect(rows.get('silence.wav')?.sentence).toEqual({ en: 'silence', zh: '静音' });
  });

  it('gives every score for track and segments and the embedding with --all, for silence too', () => {
    for (const name of ['rock-lucky-13.opus', 'silence.wav', 'one-second.wav']) {
      const row = rows.get(name);
      const sizes = [row?.scores, ...(row?.segments ?? []).map(({ scores }) => scores)].map((scores) =>
        Object.values(scores ?? {}).reduce((sum, facet) => sum + Object.keys(facet).length, 0),
      );
      expect(sizes.every((size) => size > 100)).toBe(true);
      expect(row?.embedding?.length).toBeGreaterThan(0);
    }
  });

  it('tags a second of music', () => {
    expect(tagsOf('one-second.wav')).toContain('activity/music');
    expect(rows.get('one-second.wav')?.durationMs).toBe(1000);
  });

  it('hears 24 bits in six channels at 192 kHz as it hears 16 bits in one', () => {
    expect(tagsOf('narrow.wav')).toContain('activity/music');
    expect([...tagsOf('wide.wav')].sort()).toEqual([...tagsOf('narrow.wav')].sort());
  });

  it('calls hiss at -70 dBFS silence', () => {
    expect(tagsOf('hiss.wav')).toEqual(['activity/silence']);
  });

  it('names the inputs that fail and tags the others', () => {
    expect(run.code).toBe(1);
    const codes = ['empty.wav', 'text.mp3', 'absent.wav'].map((name) => rows.get(name)?.error?.code);
    expect(codes).toEqual(['media.empty', 'media.not-media', 'media.not-found']);
    expect(tagsOf('rock-lucky-13.opus')).toContain('activity/music');
  });
});
