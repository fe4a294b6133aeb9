import { rmSync } from 'node:fs';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Earmark, finished, samples, type Row } from '../support/earmark.ts';
import { makeModelVariant, withoutInstruments } from '../support/model-variant.ts';

const tracks = readdirSync(join(samples, 'tracks'))
  .sort()
  .map((file) => join(samples, 'tracks', file));

type Change = Row &
  Readonly<{
    from?: { version: string };
    to: { version: string };
    added: readonly { facet: string }[];
    dropped: readonly { facet: string }[];
  }>;
type Version = Row & Readonly<{ id: string; version: string; state: string; tracks: number }>;

const earmark = new Earmark();
const folders: string[] = [];
const variant = async (...change: Parameters<typeof makeModelVariant>): Promise<string> => {
  const folder = await makeModelVariant(...change);
  folders.push(folder);
  return folder;
};
let shipped = '';
/** Tracks that lose tags with a model that says no instruments. */
let withInstruments: readonly string[] = [];
const paths = (rows: readonly Row[]): string[] => rows.map(({ path }) => path ?? '').sort();

async function versions(): Promise<Readonly<Record<string, readonly [state: string, tracks: number]>>> {
  const { rows } = await earmark.run('models');
  return Object.fromEntries((rows as Version[]).map((row) => [row.version, [row.state, row.tracks]]));
}

beforeAll(async () => {
  const { code } = await earmark.run('ingest', ...tracks);
  expect(code).toBe(0);
  const [[version = ''] = []] = Object.entries(await versions());
  shipped = version;
});
afterAll(() => {
  earmark.remove();
  for (const folder of folders) rmSync(folder, { recursive: true });
});

describe('earmark retag', () => {
  it('lets another calibration speak without hearing the audio, after a dry run that changes nothing', async () => {
    const folder = await variant({ version: '90.0.0', edit: withoutInstruments });
    const dry = await earmark.run('retag', '--model', folder, '--dry-run');
    expect(dry.code).toBe(0);
    expect(dry.stderr).toContain(' 0 heard again');
    expect(await versions()).toEqual({ [shipped]: ['active', tracks.length] });
    const real = await earmark.run('retag', '--model', folder);
    const byTrack = (rows: readonly Row[]): Row[] =>
      [...rows].sort((a, b) => (a.path ?? '').localeCompare(b.path ?? ''));
    expect(byTrack(real.rows)).toEqual(byTrack(dry.rows));
    withInstruments = paths(real.rows);
    expect(withInstruments.length).toBeGreaterThan(0);
    for (const { from, to, added, dropped } of real.rows as Change[]) {
      expect([from?.version, to.version]).toEqual([shipped, '90.0.0']);
      expect(added).toEqual([]);
      expect(dropped.length).toBeGreaterThan(0);
      expect(dropped.every(({ facet }) => facet === 'instrument')).toBe(true);
    }
    expect(await versions()).toEqual({
      [shipped]: ['available', tracks.length],
      '90.0.0': ['active', tracks.length],
    });
    expect((await earmark.run('retag', '--model', folder)).rows).toEqual([]);
  });

  it('goes back to the version before and forward again without hearing anything', async () => {
    expect((await earmark.run('models', 'rollback')).code).toBe(0);
    expect((await versions())[shipped]?.[0]).toBe('active');
    expect((await earmark.run('models', 'promote', 'earmark-tagger@90.0.0')).code).toBe(0);
    expect((await versions())['90.0.0']?.[0]).toBe('active');
    expect((await earmark.run('models', 'rollback')).code).toBe(0);
    expect((await earmark.run('models', 'rollback')).code).toBe(1);
    expect((await earmark.run('models', 'promote', 'earmark-tagger')).code).toBe(2);
  });

  it('hears the audio for another network, and goes on where a killed run ended', async () => {
    const folder = await variant({ version: '91.0.0', edit: withoutInstruments, otherNetwork: true });
    const first = earmark.start('retag', '--model', folder, '--json');
    await new Promise((resolve) => first.stdout?.once('data', resolve));
    first.kill('SIGKILL');
    await finished(first);
    const { [shipped]: before, '91.0.0': begun } = await versions();
    expect(before?.[0]).toBe('active');
    expect(begun?.[1]).toBeGreaterThan(0);
    const second = await earmark.run('retag', '--model', folder);
    expect(second.code).toBe(0);
    const heard = Number(/(\d+) heard again/.exec(second.stderr)?.[1]);
    expect(heard).toBeLessThan(tracks.length);
    expect(paths(second.rows)).toEqual(withInstruments);
    expect((await versions())['91.0.0']).toEqual(['active', tracks.length]);
  });

  it('refuses a model that is not what its manifest says and leaves everything as it was', async () => {
    const before = await versions();
    const bad = {
      'model.hash-mismatch': await variant({
        version: '92.0.0',
        edit: (manifest) => ({ ...manifest, sha256: 'ab'.repeat(32) }),
      }),
      'model.unknown-tag': await variant({
        version: '92.0.0',
        edit: ({ tags: [first, ...rest], ...manifest }) => ({
          ...manifest,
          tags: [{ ...first, tag: 'vaporwave' }, ...rest],
        }),
      }),
      'model.shape-mismatch': await variant({
        version: '92.0.0',
        edit: (manifest) => ({
          ...manifest,
          outputs: { ...manifest.outputs, embedding: { ...manifest.outputs.embedding, size: 7 } },
        }),
      }),
      'model.bad-manifest': await variant({ version: 'newest' }),
      'model.version-taken': await variant({ version: '90.0.0' }),
      'model.not-found': join(samples, 'tracks'),
    };
    for (const [code, folder] of Object.entries(bad)) {
      const run = await earmark.run('retag', '--model', folder);
      expect([run.code, run.stdout]).toEqual([1, '']);
      expect(run.stderr).toContain(`[${code}]`);
    }
    expect(await versions()).toEqual(before);
  });
});
