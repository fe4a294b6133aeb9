import { copyFileSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { samples } from '../support/earmark.ts';
import { excerpt, writeWav } from '../support/wav.ts';
import { ApiServer, form, nothingLeft, type Wanted } from './api-server.ts';

const rate = 11_025;
const scratch = mkdtempSync(join(tmpdir(), 'earmark-bad-input-'));
const trackPath = join(
  samples,
  'tracks',
  readdirSync(join(samples, 'tracks')).find((name) => name.includes('folk')) ?? '',
);

let api: ApiServer;
/** Bytes of each kind of bad file, by name. */
const bad: Record<string, Buffer<ArrayBuffer>> = {};

function wav(name: string, samplesOf: Float32Array): Buffer<ArrayBuffer> {
  const path = join(scratch, name);
  writeWav(path, samplesOf, rate);
  return readFileSync(path);
}

beforeAll(async () => {
  api = await ApiServer.start({ EARMARK_MAX_CLIP_BYTES: '3000000', EARMARK_MAX_UPLOAD_BYTES: '4000000' });
  const noise = Float32Array.from({ length: rate * 70 }, (_, i) => Math.sin(i * i * 1e-5) * 0.5);
  const tone = wav('tone.wav', noise.subarray(0, rate * 10));
  Object.assign(bad, {
    empty: Buffer.alloc(0),
    text: Buffer.from('this is a letter, not music\n'.repeat(50)),
    truncated: tone.subarray(0, 30),
    silent: wav('silent.wav', new Float32Array(rate * 5)),
    long: wav('long.wav', noise),
    playlist: Buffer.from('#EXTM3U\n#EXTINF:10,\nhttp://127.0.0.1:9/secret.ts\n'),
    reference: Buffer.from("ffconcat version 1.0\nfile '/etc/passwd'\n"),
    large: Buffer.alloc(3_500_000, 1),
  });
});
afterAll(async () => {
  await api.stop();
  rmSync(scratch, { recursive: true });
});
afterEach(async () => {
  expect(await api.leftovers()).toEqual(nothingLeft);
});

/** Kinds of bad audio: file, name, statuses and codes for identify, and for ingest and scan. */
const audioKinds: readonly (readonly [kind: string, fileName: string, status: number, code: string])[] = [
  ['empty', 'empty.mp3', 422, 'request.empty-file'],
  ['text', 'letter.mp3', 415, 'media.not-media'],
  ['text', 'letter.txt', 415, 'request.unsupported-type'],
  ['playlist', 'list.mp3', 415, 'media.playlist'],
  ['playlist', 'list.m3u8', 415, 'request.unsupported-type'],
  ['reference', 'other.mp4', 415, 'media.playlist'],
  ['silent', 'silent.wav', 422, 'media.silent'],
];

describe('bad audio', () => {
  it.each(audioKinds.filter(([kind]) => kind !== 'silent'))(
    '%s as %s is refused by identify',
    async (kind, name, status, code) => {
      await api.expectProblem('/v1/identify', { form: form(bad[kind] ?? '', name) }, status, code);
    },
  );

  it.each(audioKinds)('%s as %s is refused by ingest', async (kind, name, status, code) => {
    const wanted = { form: form(bad[kind] ?? '', name), headers: { prefer: 'wait=30' } };
    await api.expectProblem('/v1/tracks', wanted, status, code);
    expect((await api.call<{ data: unknown[] }>('/v1/tracks')).body.data).toEqual([]);
  });

  it.each(audioKinds.filter(([kind]) => kind !== 'silent'))(
    '%s as %s is refused by a scan',
    async (kind, name, status, code) => {
      const wanted = { form: form(bad[kind] ?? '', name), headers: { prefer: 'wait=30' } };
      await api.expectProblem('/v1/scans', wanted, status, code);
    },
  );

  it('finds nothing in silence, without an error', async () => {
    const answer = await api.call('/v1/identify', { form: form(bad['silent'] ?? '', 'silent.wav') });
    expect([answer.status, answer.body['matches']]).toEqual([200, []]);
  });

  it('refuses a header without audio as what it is', async () => {
    const answer = await api.call('/v1/identify', { form: form(bad['truncated'] ?? '', 'cut.wav') });
    expect(answer.status).toBe(422);
    expect(String(answer.body['code'])).toMatch(/^media\./);
  });

  it('refuses a clip of more than 60 s and one past the limit of bytes', async () => {
    await api.expectProblem(
      '/v1/identify',
      { form: form(bad['long'] ?? '', 'long.wav') },
      422,
      'media.too-long',
    );
    await api.expectProblem(
      '/v1/identify',
      { form: form(bad['large'] ?? '', 'a.wav') },
      413,
      'request.too-large',
    );
  });

  it('answers a recording that is already there with the one that is', async () => {
    const bytes = readFileSync(trackPath);
    const send = (name: string, fields: Record<string, string> = {}) =>
      api.call('/v1/tracks', { form: form(bytes, name, fields), headers: { prefer: 'wait=60' } });
    const first = await send('first.opus');
    expect(first.status).toBe(201);
    const second = await send('second.opus');
    expect([second.status, second.body['duplicate'], second.body['id']]).toEqual([
      200,
      true,
      first.body['id'],
    ]);
    const allowed = await send('third.opus', { allowDuplicates: 'true' });
    expect(allowed.status).toBe(201);
    for (const { body } of [first, allowed])
      await api.call(`/v1/tracks/${String(body['id'])}`, { method: 'DELETE' });
  });
});

describe('bad requests', () => {
  const json = (value: unknown): Wanted => ({ json: value });
  const text = (body: string, type = 'application/json'): Wanted => ({
    method: 'POST',
    raw: body,
    headers: { 'content-type': type },
  });

  it.each([
    ['malformed JSON', '/v1/tracks', text('{"title":'), 400, 'request.bad-json', undefined],
    ['no body', '/v1/tracks', text(''), 400, 'request.bad-json', undefined],
    [
      'another type',
      '/v1/tracks',
      text('<x/>', 'application/xml'),
      415,
      'request.unsupported-type',
      undefined,
    ],
    [
      'a huge body',
      '/v1/tracks',
      json({ title: 'x'.repeat(1_100_000) }),
      413,
      'request.too-large',
      undefined,
    ],
    ['a wrong type', '/v1/tracks', json({ title: 5 }), 422, 'request.invalid', '/title'],
    ['an unknown field', '/v1/tracks', json({ titel: 'x' }), 422, 'request.invalid', ''],
    ['a long text', '/v1/tracks', json({ title: 'x'.repeat(301) }), 422, 'request.invalid', '/title'],
    ['an empty text', '/v1/tracks', json({ title: '  ' }), 422, 'catalog.bad-text', '/title'],
    ['a wrong ISRC', '/v1/tracks', json({ isrc: 'XX' }), 422, 'catalog.bad-isrc', '/isrc'],
    [
      'a wrong barcode',
      '/v1/tracks',
      json({ refs: [{ namespace: 'upc', value: '036000291453' }] }),
      422,
      'catalog.bad-upc',
      '/refs/0/value',
    ],
    [
      'a wrong day',
      '/v1/tracks',
      json({ rights: { validFrom: '2026-02-30' } }),
      422,
      'catalog.bad-rights',
      '/rights/validFrom',
    ],
    ['a wrong upload id', '/v1/scans', json({ uploadId: 'upl_x' }), 422, 'kernel.bad-id', '/uploadId'],
    ['a page too long', '/v1/tracks?limit=201', {}, 422, 'request.invalid', 'query/limit'],
    ['a foreign cursor', '/v1/tracks?cursor=abc', {}, 422, 'request.invalid', 'query/cursor'],
    ['an unknown catalog', '/v1/tracks?catalog=none', {}, 422, 'request.invalid', 'query/catalog'],
    ['no scopes', '/v1/keys', json({ name: 'x', scopes: [] }), 422, 'request.invalid', '/scopes'],
    [
      'an unknown scope',
      '/v1/keys',
      json({ name: 'x', scopes: ['all'] }),
      422,
      'request.invalid',
      '/scopes/0',
    ],
  ] as const)('%s is refused with the place', async (_what, path, wanted, status, code, pointer) => {
    const problem = await api.expectProblem(path, wanted, status, code);
    if (pointer !== undefined) expect(problem.errors?.[0]?.pointer).toBe(pointer);
  });

  it('refuses multipart bodies without a file, with a wrong field, or with bad fields', async () => {
    const empty = new FormData();
    empty.set('catalog', 'main');
    await api.expectProblem('/v1/identify', { form: empty }, 400, 'request.missing-file');
    const misplaced = new FormData();
    misplaced.set('audio', new Blob(['x']), 'a.mp3');
    await api.expectProblem('/v1/identify', { form: misplaced }, 400, 'request.bad-multipart');
    const two = form('x', 'a.mp3');
    two.append('file', new Blob(['y']), 'b.mp3');
    await api.expectProblem('/v1/scans', { form: two }, 400, 'request.bad-multipart');
    const badFields: readonly Record<string, string>[] = [
      { metadata: '{' },
      { metadata: '{"title":5}' },
      { metadata: '{"isrc":"x"}' },
      { allowDuplicates: 'maybe' },
    ];
    for (const fields of badFields) {
      const answer = await api.call('/v1/tracks', { form: form('xxxx', 'a.mp3', fields) });
      expect(answer.status).toBe(422);
    }
    await api.expectProblem(
      '/v1/identify',
      { form: form('x', 'a.mp3', { catalog: 'none' }) },
      422,
      'request.invalid',
    );
  });

  it.each([
    ['nothing', '', 'list.csv', {}, 422, 'request.empty-file'],
    ['an open quote', 'title\n"open', 'list.csv', {}, 422, 'import.bad-csv'],
    ['no known column', 'a,b\n1,2', 'list.csv', {}, 422, 'import.no-columns'],
    ['a bad mapping', 'title\nx', 'list.csv', { mapping: '{"title":"nonsense"}' }, 422, 'import.bad-mapping'],
    ['a list as mapping', 'title\nx', 'list.csv', { mapping: '[]' }, 422, 'request.invalid'],
    ['an unknown format', 'title\nx', 'list.csv', { format: 'xml' }, 422, 'request.invalid'],
    ['a flag that is none', 'title\nx', 'list.csv', { dryRun: 'perhaps' }, 422, 'request.invalid'],
    ['another type', 'title\nx', 'list.xlsx', {}, 415, 'request.unsupported-type'],
    ['too many rows', `title\n${'x\n'.repeat(100_001)}`, 'list.csv', {}, 413, 'import.too-many-rows'],
  ] as const)('refuses a metadata file with %s', async (...row) => {
    const [, content, name, fields, status, code] = row;
    await api.expectProblem('/v1/imports', { form: form(content, name, fields) }, status, code);
  });

  it('leaves nothing of a body that breaks off', async () => {
    const url = new URL(api.url);
    const head =
      `POST /v1/tracks HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${api.firstKey}\r\n` +
      'Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 100000\r\n\r\n' +
      '--b\r\nContent-Disposition: form-data; name="file"; filename="a.mp3"\r\n\r\n';
    await new Promise<void>((resolve) => {
      const socket = connect(Number(url.port), url.hostname, () => {
        socket.write(head + 'x'.repeat(1000), () => setTimeout(() => socket.destroy(), 100));
      });
      socket.on('close', () => resolve());
    });
    while (api.uploadedFiles().length > 0) await api.call('/health/live');
  });

  it('refuses a multipart body that ends in the middle of a part', async () => {
    const raw = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.mp3"\r\n\r\nxxxx';
    const headers = { 'content-type': 'multipart/form-data; boundary=b' };
    await api.expectProblem('/v1/tracks', { raw, headers }, 400, 'request.bad-multipart');
  });
});

it('hears an excerpt of a track as this track', async () => {
  const bytes = readFileSync(trackPath);
  const made = await api.call('/v1/tracks', {
    form: form(bytes, 'folk.opus'),
    headers: { prefer: 'wait=60' },
  });
  const clip = join(scratch, 'clip.wav');
  const { samples: part, sampleRateHz } = await excerpt(trackPath, 20_000, 10_000);
  writeWav(clip, part, sampleRateHz);
  copyFileSync(clip, `${clip}.copy`);
  const answer = await api.call<{ matches: { trackId: string; referenceStartMs: number }[] }>(
    '/v1/identify',
    {
      form: form(readFileSync(`${clip}.copy`), 'clip.wav'),
    },
  );
  expect(answer.status).toBe(200);
  expect(answer.body.matches[0]?.trackId).toBe(made.body['id']);
  await api.call(`/v1/tracks/${String(made.body['id'])}`, { method: 'DELETE' });
  const gone = await api.call('/v1/identify', { form: form(readFileSync(clip), 'clip.wav') });
  expect(gone.body['matches']).toEqual([]);
});
