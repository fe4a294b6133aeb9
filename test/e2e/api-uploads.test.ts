import { createHash } from 'node:crypto';
import { request } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ApiServer, nothingLeft } from './api-server.ts';

const partType = 'application/offset+octet-stream';
const bytes = Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7) % 251));

let api: ApiServer;
beforeAll(async () => {
  api = await ApiServer.start({ EARMARK_MAX_UPLOAD_BYTES: '1000000' });
});
afterAll(() => api.stop());

async function begin(extra: object = {}): Promise<string> {
  const made = await api.call('/v1/uploads', {
    json: { fileName: 'a.mp3', lengthBytes: bytes.length, ...extra },
  });
  expect(made.status).toBe(201);
  return made.headers.get('location') ?? '';
}

function append(path: string, part: Uint8Array<ArrayBuffer>, offset: number) {
  return api.call(path, {
    method: 'PATCH',
    raw: part,
    headers: { 'content-type': partType, 'upload-offset': String(offset) },
  });
}

it('goes on where it broke off and ends with the right bytes', async () => {
  const path = await begin({ sha256: createHash('sha256').update(bytes).digest('hex') });
  const first = await append(path, bytes.subarray(0, 2000), 0);
  expect([first.status, first.headers.get('upload-offset')]).toEqual([204, '2000']);
  const wrong = await append(path, bytes.subarray(0, 2000), 0);
  expect([wrong.status, wrong.body['code']]).toEqual([409, 'upload.offset-mismatch']);
  const head = await api.call(path, { method: 'HEAD' });
  expect([head.headers.get('upload-offset'), head.headers.get('upload-length')]).toEqual(['2000', '5000']);
  expect((await append(path, bytes.subarray(2000), 2000)).status).toBe(204);
  expect((await api.call(path)).body).toMatchObject({ state: 'complete', offsetBytes: 5000 });
  expect((await api.call(path, { method: 'DELETE' })).status).toBe(204);
  expect(await api.leftovers()).toEqual(nothingLeft);
});

it('keeps what came before the connection broke', async () => {
  const path = await begin();
  await new Promise<void>((resolve) => {
    const url = new URL(api.url + path);
    const headers = {
      authorization: `Bearer ${api.firstKey}`,
      'content-type': partType,
      'content-length': '5000',
      'upload-offset': '0',
    };
    const broken = request({ host: url.hostname, port: url.port, path, method: 'PATCH', headers });
    broken.on('error', () => resolve());
    broken.write(bytes.subarray(0, 1500), () => setImmediate(() => broken.destroy()));
  });
  // The server notices the break in its own time; until then it answers 409, and a client asks again.
  let status = 409;
  while (status === 409) {
    const offset = Number((await api.call(path)).body['offsetBytes']);
    expect(offset).toBeLessThanOrEqual(1500);
    ({ status } = await append(path, bytes.subarray(offset), offset));
  }
  expect(status).toBe(204);
  expect((await api.call(path)).body).toMatchObject({ state: 'complete' });
  await api.call(path, { method: 'DELETE' });
  expect(await api.leftovers()).toEqual(nothingLeft);
});

it('refuses more bytes than were promised and keeps its offset', async () => {
  const path = await begin();
  const long = await append(path, Buffer.concat([bytes, bytes]), 0);
  expect([long.status, long.body['code']]).toEqual([413, 'upload.too-long']);
  expect((await api.call(path)).body).toMatchObject({ offsetBytes: 0, state: 'open' });
  await api.call(path, { method: 'DELETE' });
});

it('removes an upload whose checksum is wrong', async () => {
  const path = await begin({ sha256: '0'.repeat(64) });
  const answer = await append(path, bytes, 0);
  expect([answer.status, answer.body['code']]).toEqual([422, 'upload.checksum-mismatch']);
  await api.expectProblem(path, {}, 404, 'upload.not-found');
  expect(await api.leftovers()).toEqual(nothingLeft);
});

it.each([
  [{ fileName: 'a.mp3', lengthBytes: 1_000_001 }, 413, 'request.too-large'],
  [{ fileName: 'a.exe', lengthBytes: 10 }, 415, 'request.unsupported-type'],
  [{ fileName: 'a.csv', lengthBytes: 10 }, 415, 'request.unsupported-type'],
  [{ fileName: 'a.m3u8', lengthBytes: 10 }, 415, 'request.unsupported-type'],
  [{ fileName: 'a.mp3', lengthBytes: 0 }, 422, 'request.invalid'],
  [{ fileName: 'a.mp3', lengthBytes: 10, sha256: 'x' }, 422, 'request.invalid'],
  [{ fileName: 'x'.repeat(301), lengthBytes: 10 }, 422, 'request.invalid'],
])('refuses to begin %j', async (json, status, code) => {
  await api.expectProblem('/v1/uploads', { json }, status, code);
});

it('refuses parts without offset or with another type, and unfinished uploads in use', async () => {
  const path = await begin();
  const patch = { method: 'PATCH', raw: bytes };
  await api.expectProblem(
    path,
    { ...patch, headers: { 'content-type': partType } },
    400,
    'upload.bad-offset',
  );
  const typed = { ...patch, headers: { 'content-type': 'text/plain', 'upload-offset': '0' } };
  await api.expectProblem(path, typed, 415, 'request.unsupported-type');
  const uploadId = path.split('/').at(-1);
  await api.expectProblem('/v1/scans', { json: { uploadId } }, 409, 'upload.incomplete');
  await api.call(path, { method: 'DELETE' });
  await api.expectProblem('/v1/scans', { json: { uploadId } }, 404, 'upload.not-found');
  expect(await api.leftovers()).toEqual(nothingLeft);
});
