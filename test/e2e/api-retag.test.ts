import { readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { samples } from '../support/earmark.ts';
import { makeModelVariant, withoutInstruments } from '../support/model-variant.ts';
import { ApiServer, form } from './api-server.ts';

type Version = Readonly<{ id: string; version: string; state: string; tracks: number }>;
type Retag = Readonly<{
  id: string;
  state: string;
  report?: Readonly<{ changed: number; failed: number; listened: number; promoted: boolean }>;
}>;
type Tagging = Readonly<{ model: { version: string }; tags: readonly { facet: string; tag: string }[] }>;

const names = ['metal-david04.opus', 'rock-lucky-13.opus'];
const tracks: string[] = [];
const folders: string[] = [];
let api: ApiServer;
let shipped = '';

const quietState = async (): Promise<string | undefined> =>
  (await api.call<{ data: Version[] }>('/v1/models/quiet-tagger/versions')).body.data[0]?.state;
const wait = { prefer: 'wait=60' };

beforeAll(async () => {
  folders.push(
    await makeModelVariant({
      version: '90.0.0',
      edit: (manifest) => ({ ...withoutInstruments(manifest), id: 'quiet-tagger' }),
    }),
    await makeModelVariant({ version: 'broken' }),
    await makeModelVariant({
      version: '91.0.0',
      edit: (manifest) => ({ ...manifest, id: 'other-tagger' }),
      otherNetwork: true,
    }),
  );
  api = await ApiServer.start({}, { modelFolders: folders });
  for (const name of names) {
    const file = form(new Uint8Array(readFileSync(join(samples, 'tracks', name))), basename(name));
    const made = await api.call('/v1/tracks', { form: file, headers: wait });
    expect(made.status).toBe(201);
    tracks.push(made.headers.get('location') ?? '');
  }
});
afterAll(async () => {
  await api.stop();
  for (const folder of folders) rmSync(folder, { recursive: true });
});

describe('models', () => {
  it('stand side by side, and a folder that holds no usable one is named with its reason', async () => {
    const { body } = await api.call<{ data: Version[]; problems: { code: string; title: string }[] }>(
      '/v1/models',
    );
    expect(body.data.map(({ id }) => id)).toEqual(['earmark-tagger', 'other-tagger', 'quiet-tagger']);
    const active = body.data.find((one) => one.state === 'active');
    shipped = active?.version ?? '';
    expect(active).toMatchObject({ id: 'earmark-tagger', tracks: names.length });
    expect(body.problems).toEqual([
      { code: 'model.bad-manifest', title: expect.stringContaining('/version') as string },
    ]);
  });

  it('of unknown name or action are refused', async () => {
    await api.expectProblem('/v1/models/nobody/versions', {}, 404, 'model.not-known');
    const post = { method: 'POST' };
    await api.expectProblem('/v1/models/earmark-tagger/versions/7.7.7:promote', post, 404, 'model.not-known');
    await api.expectProblem('/v1/models/quiet-tagger/versions/90.0.0:paint', post, 404, 'request.not-found');
    await api.expectProblem('/v1/models/earmark-tagger/versions:rollback', post, 409, 'model.no-earlier');
  });
});

describe('re-tagging', () => {
  it('says beforehand what would change, track by track', async () => {
    const dry = await api.call<Retag>('/v1/retags', {
      json: { model: 'quiet-tagger@90.0.0', dryRun: true },
      headers: wait,
    });
    expect(dry.status).toBe(200);
    expect(dry.body.report).toMatchObject({
      changed: names.length,
      failed: 0,
      listened: 0,
      promoted: false,
    });
    const path = `/v1/retags/${dry.body.id}/changes`;
    const first = await api.call<{ data: { trackId: string }[]; nextCursor: string }>(`${path}?limit=1`);
    expect(first.body.data).toHaveLength(1);
    expect(first.headers.get('link')).toContain('rel="next"');
    const second = await api.call<{ data: { trackId: string; dropped: unknown[] }[]; nextCursor: null }>(
      `${path}?limit=1&cursor=${first.body.nextCursor}`,
    );
    expect(second.body.nextCursor).toBeNull();
    expect(second.body.data[0]?.dropped.length).toBeGreaterThan(0);
    expect(second.body.data[0]?.trackId).not.toBe(first.body.data[0]?.trackId);
    expect((await api.call<Tagging>(`${tracks[0]}/tags`)).body.model.version).toBe(shipped);
    expect(await quietState()).toBe('available');
  });

  it('changes what is shown, and a rollback shows the tags before at once', async () => {
    const before = (await api.call<Tagging>(`${tracks[0]}/tags`)).body;
    const queued = await api.call<{ id: string }>('/v1/retags', { json: { model: 'quiet-tagger@90.0.0' } });
    expect(queued.status).toBe(202);
    const job = queued.headers.get('location') ?? '';
    expect((await api.call<{ state: string }>(job, { headers: wait })).body.state).toBe('done');
    const read = await api.call<Retag>(`/v1/retags/${queued.body.id}`);
    expect(read.body).toMatchObject({ state: 'done', report: { promoted: true } });
    const after = (await api.call<Tagging>(`${tracks[0]}/tags`)).body;
    expect(after.model.version).toBe('90.0.0');
    expect(after.tags.some(({ facet }) => facet === 'instrument')).toBe(false);
    const post = { method: 'POST' };
    const back = await api.call<Version>('/v1/models/quiet-tagger/versions:rollback', post);
    expect(back.body).toMatchObject({ version: shipped, state: 'active' });
    expect((await api.call<Tagging>(`${tracks[0]}/tags`)).body).toEqual(before);
    await api.call('/v1/models/quiet-tagger/versions/90.0.0:promote', post);
    expect((await api.call<Tagging>(`${tracks[0]}/tags`)).body).toEqual(after);
    await api.call('/v1/models/quiet-tagger/versions:rollback', post);
  });

  it('hears uploads again for another network, and fails by track where the audio was not kept', async () => {
    const json = { model: 'other-tagger', dryRun: true };
    const heard = await api.call<Retag>('/v1/retags', { json, headers: wait });
    expect(heard.body.report).toMatchObject({ failed: 0, listened: names.length });
    await api.test.database.pool.query('DELETE FROM track_audio');
    const deaf = await api.call<Retag>('/v1/retags', { json: { ...json, dryRun: false }, headers: wait });
    expect(deaf.body.report).toMatchObject({ failed: names.length, promoted: false });
    const changes = await api.call<{ data: { error: { code: string } }[] }>(
      `/v1/retags/${deaf.body.id}/changes`,
    );
    expect(changes.body.data.map(({ error }) => error.code)).toEqual(names.map(() => 'tag.audio-gone'));
    expect((await api.call<Tagging>(`${tracks[0]}/tags`)).body.model.version).toBe(shipped);
  });

  it('needs its scope, a model that is at hand, and an id of its own', async () => {
    const made = await api.call<{ secret: string }>('/v1/keys', {
      json: { name: 'reader', scopes: ['tags:read', 'catalog:write'] },
    });
    const key = made.body.secret;
    await api.expectProblem('/v1/retags', { json: {}, key }, 403, 'auth.missing-scope');
    const promote = { method: 'POST', key };
    await api.expectProblem(
      '/v1/models/quiet-tagger/versions/90.0.0:promote',
      promote,
      403,
      'auth.missing-scope',
    );
    expect((await api.call('/v1/models', { key })).status).toBe(200);
    await api.expectProblem('/v1/retags', { json: { model: 'nobody' } }, 422, 'model.not-found');
    await api.expectProblem('/v1/retags', { json: { model: '../x' } }, 422, 'request.invalid');
    await api.expectProblem('/v1/retags', { json: { dryRun: 'yes' } }, 422, 'request.invalid');
    await api.expectProblem('/v1/retags/job_x', {}, 422, 'kernel.bad-id');
    const upload = { method: 'POST' };
    const rebuild = await api.call<{ id: string }>('/v1/index:rebuild', upload);
    await api.expectProblem(`/v1/retags/${rebuild.body.id}`, {}, 404, 'retag.not-found');
  });
});
