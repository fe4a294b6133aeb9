import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiServer, form } from './api-server.ts';

type Page = Readonly<{
  data: readonly Readonly<{ id: string; title?: string }>[];
  nextCursor: string | null;
}>;

let api: ApiServer;
beforeAll(async () => {
  api = await ApiServer.start();
});
afterAll(() => api.stop());

describe('tracks', () => {
  it('are added, read, edited with their version and removed', async () => {
    const made = await api.call('/v1/tracks', {
      json: {
        title: ' Title ',
        artists: ['A'],
        isrc: 'us-s1z-99-00001',
        rights: { owner: 'O', sharePct: 50 },
      },
    });
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({ title: 'Title', isrc: 'USS1Z9900001', status: 'pending', version: 1 });
    const path = made.headers.get('location') ?? '';
    expect(made.headers.get('etag')).toBe('"1"');
    const edit = { method: 'PATCH', json: { title: 'New', isrc: null }, headers: { 'if-match': '"1"' } };
    const edited = await api.call(path, edit);
    expect(edited.body).toMatchObject({ title: 'New', version: 2 });
    expect(edited.body).not.toHaveProperty('isrc');
    await api.expectProblem(path, edit, 412, 'catalog.version-changed');
    expect((await api.call(path)).body).toEqual(edited.body);
    expect((await api.call(path, { method: 'DELETE' })).status).toBe(204);
    await api.expectProblem(path, {}, 404, 'catalog.track-not-found');
    await api.expectProblem(path, { method: 'DELETE' }, 404, 'catalog.track-not-found');
  });

  it('are added or replaced by a reference, once under concurrency', async () => {
    const put = (title: string) =>
      api.call('/v1/tracks/by-ref/shop/No%2F1', { method: 'PUT', json: { title, artists: ['A'] } });
    const answers = await Promise.all(Array.from({ length: 6 }, (_, i) => put(`t${i}`)));
    expect(new Set(answers.map((answer) => answer.body['id'])).size).toBe(1);
    expect(answers.filter((answer) => answer.status === 201)).toHaveLength(1);
    expect((await put('last')).body).toMatchObject({
      title: 'last',
      refs: [{ namespace: 'shop', value: 'No/1' }],
    });
  });

  it('are found by ISRC in the path', async () => {
    const first = await api.call('/v1/tracks/by-ref/isrc/DE-A12-12-34567', {
      method: 'PUT',
      json: { title: 'x' },
    });
    expect(first.body).toMatchObject({ isrc: 'DEA121234567' });
    const second = await api.call('/v1/tracks/by-ref/isrc/dea121234567', {
      method: 'PUT',
      json: { title: 'y' },
    });
    expect(second.status).toBe(200);
    expect(second.body['id']).toBe(first.body['id']);
    const found = await api.call<Page>('/v1/tracks?isrc=DEA121234567');
    expect(found.body.data.map((track) => track.title)).toEqual(['y']);
  });

  it('are listed in pages that follow one another', async () => {
    for (let i = 0; i < 5; i++) await api.call('/v1/tracks', { json: { title: `p${i}`, catalog: 'paged' } });
    const titles: (string | undefined)[] = [];
    let path = '/v1/tracks?catalog=paged&limit=2';
    while (path !== '') {
      const page = await api.call<Page>(path);
      titles.push(...page.body.data.map((track) => track.title));
      path = /<([^>]+)>; rel="next"/.exec(page.headers.get('link') ?? '')?.[1] ?? '';
      expect(page.body.nextCursor === null).toBe(path === '');
    }
    expect(titles).toEqual(['p0', 'p1', 'p2', 'p3', 'p4']);
  });
});

describe('writes with an Idempotency-Key', () => {
  it('give a repeat the first answer and refuse another request', async () => {
    const headers = { 'idempotency-key': 'k-1' };
    const first = await api.call('/v1/tracks', { json: { title: 'once' }, headers });
    const second = await api.call('/v1/tracks', { json: { title: 'once' }, headers });
    expect(second.status).toBe(201);
    expect(second.body).toEqual(first.body);
    expect(second.headers.get('location')).toBe(first.headers.get('location'));
    expect(second.headers.get('idempotent-replayed')).toBe('true');
    await api.expectProblem(
      '/v1/tracks',
      { json: { title: 'other' }, headers },
      422,
      'idempotency.key-reused',
    );
    await api.expectProblem(
      '/v1/tracks',
      { json: {}, headers: { 'idempotency-key': 'a b' } },
      422,
      'idempotency.bad-key',
    );
  });

  it('are done once when repeats come at the same time', async () => {
    const headers = { 'idempotency-key': 'k-2' };
    const answers = await Promise.all(
      Array.from({ length: 5 }, () =>
        api.call('/v1/tracks', { json: { title: 'at once', catalog: 'idem' }, headers }),
      ),
    );
    expect(answers.every((answer) => answer.status === 201 || answer.status === 409)).toBe(true);
    const { body } = await api.call<Page>('/v1/tracks?catalog=idem');
    expect(body.data).toHaveLength(1);
  });
});

describe('imports', () => {
  const csv = [
    'Titel,artists,isrc,No',
    '"One, more",A;B,US-S1Z-99-00011,n1',
    'Two,,nope,n2',
    'Three,C,,n3',
  ].join('\r\n');
  const mapping = JSON.stringify({ Titel: 'title', No: 'ref:own' });

  it('tell what is wrong in a dry run and change nothing', async () => {
    const answer = await api.call('/v1/imports', {
      form: form(csv, 'list.csv', { mapping, dryRun: 'true', catalog: 'imported' }),
    });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      dryRun: true,
      rows: 3,
      valid: 2,
      errors: [{ row: 3, field: 'isrc', code: 'catalog.bad-isrc' }],
    });
    await api.expectProblem('/v1/tracks?catalog=imported', {}, 422, 'request.invalid');
    expect(api.uploadedFiles()).toEqual([]);
  });

  it('add and update tracks and report bad rows', async () => {
    const run = (text: string, name: string) =>
      api.call('/v1/imports', {
        form: form(text, name, { mapping, catalog: 'imported' }),
        headers: { prefer: 'wait=30' },
      });
    const first = await run(csv, 'list.csv');
    expect(first.body).toMatchObject({
      state: 'done',
      result: { rows: 3, created: 2, updated: 0, failed: 1 },
    });
    const second = await run(
      '{"title":"Third","refs":{"own":"n3"}}\n{"title":"Four","refs":{"own":"n4"}}',
      'more.jsonl',
    );
    expect(second.body).toMatchObject({ result: { created: 1, updated: 1, failed: 0 } });
    const { body } = await api.call<Page>('/v1/tracks?catalog=imported');
    expect(body.data.map((track) => track.title)).toEqual(['One, more', 'Third', 'Four']);
    expect(api.uploadedFiles()).toEqual([]);
  });
});

describe('keys', () => {
  it('do only what their scopes allow, and nothing once revoked', async () => {
    const made = await api.call('/v1/keys', { json: { name: 'reader', scopes: ['catalog:read'] } });
    expect(made.status).toBe(201);
    const key = String(made.body['secret']);
    expect((await api.call('/v1/tracks', { key })).status).toBe(200);
    await api.expectProblem('/v1/tracks', { key, json: {} }, 403, 'auth.missing-scope');
    expect((await api.call('/v1/jobs', { key })).status).toBe(200);
    const upload = { key, json: { fileName: 'a.mp3', lengthBytes: 1 } };
    await api.expectProblem('/v1/uploads', upload, 403, 'auth.missing-scope');
    const listed = await api.call('/v1/keys');
    expect(JSON.stringify(listed.body)).not.toContain(key);
    expect((await api.call(`/v1/keys/${String(made.body['id'])}`, { method: 'DELETE' })).status).toBe(204);
    await api.expectProblem('/v1/tracks', { key }, 401, 'auth.bad-key');
    await api.expectProblem('/v1/tracks', { key: null }, 401, 'auth.missing-key');
    const own = (listed.body as unknown as Page).data[0]?.id ?? '';
    await api.expectProblem(`/v1/keys/${own}`, { method: 'DELETE' }, 409, 'key.last-admin');
  });

  it('never leave their secret in the database', async () => {
    await api.call('/v1/keys', {
      json: { name: 'x', scopes: ['scan'] },
      headers: { 'idempotency-key': 'secret' },
    });
    const { rows } = await api.test.database.pool.query('SELECT 1 FROM idempotency WHERE body LIKE $1', [
      '%emk_%',
    ]);
    expect(rows).toEqual([]);
  });
});

describe('every answer', () => {
  it('says who asked for what: request id, trace and rate', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const { headers } = await api.call('/v1/tracks', { headers: { 'x-request-id': 'mine-1', traceparent } });
    expect(headers.get('x-request-id')).toBe('mine-1');
    expect(headers.get('traceparent')).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-01$/);
    expect(headers.get('ratelimit')).toMatch(/^"default";r=\d+;t=\d+$/);
  });

  it('is a problem where there is nothing', async () => {
    await api.expectProblem('/v1/nothing', {}, 404, 'request.not-found');
    await api.expectProblem('/v1/tracks/trk_x', {}, 422, 'kernel.bad-id');
    await api.expectProblem('/v1/jobs/job_01m80j6tm8ck298qhrtn626czp', {}, 404, 'job.not-found');
    await api.expectProblem('/v1/scans/scn_01m80j6tm8ck298qhrtn626czp', {}, 404, 'scan.not-found');
  });

  it('comes for health and metrics without a key', async () => {
    expect((await api.call('/health/live', { key: null })).body).toEqual({ status: 'ok' });
    expect((await api.call('/health/ready', { key: null })).body).toMatchObject({ status: 'ok' });
    const metrics = await api.call<string>('/metrics', { key: null });
    expect(metrics.body).toContain('earmark_http_request_seconds_count{method="GET",route="/v1/tracks"');
    expect((await api.call('/docs', { key: null })).status).toBe(200);
  });
});

describe('the OpenAPI description', () => {
  it('is the committed one (vitest -u writes it anew)', async () => {
    const { body } = await api.call('/v1/openapi.json', { key: null });
    await expect(`${JSON.stringify(body, null, 2)}\n`).toMatchFileSnapshot('../../docs/openapi.json');
  });
});
