import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Earmark, finished, samples } from '../support/earmark.ts';
import { TestCluster } from '../support/elasticsearch/cluster.ts';
import { excerpt, writeWav } from '../support/wav.ts';

const folder = join(samples, 'tracks');
const tracks = readdirSync(folder)
  .filter((name) => /^(folk|rock|jazz)/.test(name))
  .map((name) => join(folder, name));
const rock = tracks.find((path) => path.includes('rock')) ?? '';
const folk = tracks.find((path) => path.includes('folk')) ?? '';
/** Only what recognition needs. */
const lean = { EARMARK_TAG_ON_INGEST: 'false', EARMARK_ANALYZE_ON_INGEST: 'false' };

describe('command line and API on an Elasticsearch index', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'earmark-integration-'));
  const clip = join(scratch, 'clip.wav');
  let cluster: TestCluster;
  let earmark: Earmark;
  let ids: Map<string, string>;

  beforeAll(async () => {
    cluster = await TestCluster.start();
    earmark = new Earmark({ ...lean, ELASTICSEARCH_URL: cluster.urls.join(',') });
    const { samples: pcm, sampleRateHz } = await excerpt(rock, 20_000, 8000);
    writeWav(clip, pcm, sampleRateHz);
    const { code, rows } = await earmark.run('ingest', ...tracks);
    expect(code).toBe(0);
    ids = new Map(rows.map(({ path = '', trackId = '' }) => [path, trackId]));
  });
  afterAll(async () => {
    earmark.remove();
    rmSync(scratch, { recursive: true });
    await cluster.stop();
  });

  it('identifies a clip and finds the track inside a longer recording', async () => {
    for (const command of ['identify', 'scan']) {
      const { code, rows } = await earmark.run(command, clip);
      expect(code).toBe(0);
      const [match] = rows[0]?.matches ?? [];
      expect(match?.trackId, command).toBe(ids.get(rock));
      expect(Math.abs((match?.referenceStartMs ?? 0) - (match?.queryStartMs ?? 0) - 20_000)).toBeLessThan(
        300,
      );
    }
  });

  it('takes a recording that is there in another encoding for a duplicate', async () => {
    const copy = join(scratch, 'copy.wav');
    const { samples: pcm, sampleRateHz } = await excerpt(folk, 0, 58_000);
    writeWav(copy, pcm, sampleRateHz);
    const { rows } = await earmark.run('ingest', copy);
    expect(rows[0]).toMatchObject({ status: 'duplicate', trackId: ids.get(folk) });
  });

  it('shows the index in stats and doctor', async () => {
    const stats = await earmark.run('stats');
    expect(stats.rows[0]).toMatchObject({ index: { tracks: tracks.length } });
    const doctor = await earmark.run('doctor');
    expect(doctor.stdout).toContain('engine elasticsearch');
    expect(doctor.code).toBe(0);
  });

  it('travels as fingerprints without audio', async () => {
    const file = join(scratch, 'rock.emfp');
    expect((await earmark.run('fingerprint', rock, '--out', file)).code).toBe(0);
    const { rows } = await earmark.run('ingest', file, '--catalog', 'elsewhere');
    expect(rows[0]).toMatchObject({ status: 'ready' });
    const { rows: found } = await earmark.run('identify', clip, '--catalog', 'elsewhere');
    expect(found[0]?.matches?.[0]?.trackId).toBe(rows[0]?.trackId);
    expect((await earmark.run('delete', rows[0]?.trackId ?? '')).code).toBe(0);
  });

  it('serves, rebuilds the index on request, and is ready', async () => {
    const child = earmark.start('serve', '--port', '0', '--json');
    try {
      let url = '';
      let key = '';
      for await (const line of createInterface({ input: child.stdout ?? process.stdin })) {
        ({ url, key } = JSON.parse(line) as { url: string; key: string });
        break;
      }
      const headers = { authorization: `Bearer ${key}`, prefer: 'wait=60' };
      const ready = await fetch(`${url}/health/ready`);
      expect(ready.status).toBe(200);
      expect(await ready.json()).toMatchObject({ engine: { details: { engine: 'elasticsearch' } } });
      const rebuilt = await fetch(`${url}/v1/index:rebuild`, { method: 'POST', headers });
      expect(await rebuilt.json()).toMatchObject({ state: 'done', result: { tracks: tracks.length } });
    } finally {
      const exit = once(child, 'exit');
      child.kill('SIGTERM');
      await exit;
    }
    expect((await earmark.run('identify', clip)).rows[0]?.matches).toHaveLength(1);
  });

  it('shows the demo on it and leaves nothing behind', async () => {
    const before = await cluster.request('GET', '/*-fingerprints-v*');
    const demo = await finished(earmark.start('demo'));
    expect(demo.code, demo.stderr).toBe(0);
    expect(Object.keys((await cluster.request('GET', '/*-fingerprints-v*')) as object)).toEqual(
      Object.keys(before as object),
    );
  });

  it('forgets a deleted track', async () => {
    expect((await earmark.run('delete', ids.get(rock) ?? '')).code).toBe(0);
    const { rows } = await earmark.run('identify', clip);
    expect(rows[0]?.matches).toEqual([]);
  });

  it('names a cluster that is away, keeps what it was given, and catches up afterwards', async () => {
    cluster.kill(0);
    const away = await earmark.run('ingest', rock, '--allow-duplicates');
    expect([away.code, away.rows[0]?.error?.code]).toEqual([1, 'index.unavailable']);
    expect((await earmark.run('doctor')).stdout).toContain('index.unavailable');
    const fresh = await TestCluster.start();
    try {
      const { rows } = await earmark
        .withEnvironment({ ELASTICSEARCH_URL: fresh.urls[0] ?? '' })
        .run('ingest', rock);
      expect(rows[0]?.status).toBe('ready');
      const found = await earmark
        .withEnvironment({ ELASTICSEARCH_URL: fresh.urls[0] ?? '' })
        .run('identify', clip);
      expect(found.rows[0]?.matches?.[0]?.trackId).toBe(rows[0]?.trackId);
    } finally {
      await fresh.stop();
    }
  });
});
