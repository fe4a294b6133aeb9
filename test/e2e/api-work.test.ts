import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { root, samples } from '../support/earmark.ts';
import { writeWav } from '../support/wav.ts';
import { ApiServer, form, nothingLeft } from './api-server.ts';

type Job = Readonly<{
  id: string;
  state: string;
  result?: { trackId?: string; scanId?: string };
  attempts: number;
}>;
type Match = Readonly<{ trackId: string; queryStartMs: number; queryEndMs: number }>;

const folder = join(samples, 'tracks');
const trackNames = readdirSync(folder).sort();
const video = readFileSync(join(samples, 'video', 'demo.webm'));
const truth = JSON.parse(readFileSync(join(samples, 'video', 'demo.truth.json'), 'utf8')) as unknown;

function sendTrack(api: ApiServer, name: string, seconds = 60) {
  return api.call<Job>('/v1/tracks', {
    form: form(readFileSync(join(folder, name)), name, { metadata: JSON.stringify({ title: name }) }),
    headers: seconds > 0 ? { prefer: `wait=${seconds}` } : {},
  });
}

/** Waits for a job as a client does: by asking with a wish to wait. */
async function ended(api: ApiServer, id: string): Promise<Job> {
  for (;;) {
    const { body } = await api.call<Job>(`/v1/jobs/${id}`, { headers: { prefer: 'wait=20' } });
    if (body.state !== 'queued' && body.state !== 'running') return body;
  }
}

describe('a server with its own worker', () => {
  let api: ApiServer;
  beforeAll(async () => {
    api = await ApiServer.start();
  });
  afterAll(() => api.stop());

  it('finds tracks in a video, as a job and within the wait', async () => {
    expect(truth).toBeTypeOf('object');
    const ids = new Map<string, string>();
    for (const name of trackNames) {
      const { status, body } = await sendTrack(api, name);
      expect(status).toBe(201);
      ids.set(body.id, name);
    }
    const queued = await api.call<Job>('/v1/scans', { form: form(video, 'demo.webm') });
    expect(queued.status).toBe(202);
    expect(queued.headers.get('location')).toBe(`/v1/jobs/${queued.body.id}`);
    const job = await ended(api, queued.body.id);
    expect(job.state).toBe('done');
    const scanId = job.result?.scanId ?? '';
    const scan = await api.call(`/v1/scans/${scanId}`);
    expect(scan.body).toMatchObject({ id: scanId, state: 'done', source: 'demo.webm' });
    const first = await api.call<{ data: Match[]; nextCursor: string | null }>(
      `/v1/scans/${scanId}/matches?limit=1`,
    );
    const rest = await api.call<{ data: Match[] }>(
      `/v1/scans/${scanId}/matches?cursor=${first.body.nextCursor ?? ''}`,
    );
    const matches = [...first.body.data, ...rest.body.data];
    expect(matches.length).toBeGreaterThanOrEqual(3);
    expect(matches.map((match) => match.queryStartMs)).toEqual(
      matches.map((match) => match.queryStartMs).sort((a, b) => a - b),
    );
    expect(matches.every((match) => ids.has(match.trackId))).toBe(true);
    const listed = await api.call<{ data: { id: string }[] }>('/v1/scans');
    expect(listed.body.data[0]?.id).toBe(scanId);
    expect(await api.leftovers()).toEqual(nothingLeft);
  });

  it('rebuilds its index and finds what it found before', async () => {
    const before = await api.call<{ index: { tracks: number } }>('/v1/stats');
    expect(before.body).toMatchObject({ tracks: trackNames.length });
    const rebuilt = await api.call<Job>('/v1/index:rebuild', {
      method: 'POST',
      headers: { prefer: 'wait=60' },
    });
    expect([rebuilt.status, rebuilt.body.state]).toEqual([200, 'done']);
    expect((await api.call('/v1/stats')).body).toMatchObject({ tracks: trackNames.length });
  });

  it('uses a resumable upload once', async () => {
    const name = trackNames[0] ?? '';
    const bytes = readFileSync(join(folder, name));
    const made = await api.call('/v1/uploads', {
      json: { fileName: `copy of ${name}`, lengthBytes: bytes.length },
    });
    const path = made.headers.get('location') ?? '';
    const headers = { 'content-type': 'application/offset+octet-stream', 'upload-offset': '0' };
    expect((await api.call(path, { method: 'PATCH', raw: bytes, headers })).status).toBe(204);
    const json = { uploadId: made.body['id'], allowDuplicates: true, title: 'again' };
    const added = await api.call('/v1/tracks', { json, headers: { prefer: 'wait=60' } });
    expect([added.status, added.body['title']]).toEqual([201, 'again']);
    await api.expectProblem('/v1/tracks', { json }, 404, 'upload.not-found');
    expect(await api.leftovers()).toEqual(nothingLeft);
  });
});

describe('a server without a worker', () => {
  let api: ApiServer;
  const workers: ChildProcess[] = [];
  beforeEach(async () => {
    api = await ApiServer.start({ EARMARK_API_WORKER: 'false' });
  });
  afterEach(async () => {
    for (const worker of workers.splice(0)) {
      if (worker.exitCode === null && worker.signalCode === null) {
        worker.kill('SIGTERM');
        await once(worker, 'exit');
      }
    }
    await api.stop();
  });

  function startWorker(): ChildProcess {
    const worker = spawn(process.execPath, [join(root, 'apps/worker/dist/main.js')], {
      env: {
        PATH: process.env['PATH'] ?? '',
        DATABASE_URL: api.test.databaseUrl,
        EARMARK_DATA_DIR: api.test.dataDir,
        EARMARK_CONCURRENCY: '1',
        EARMARK_LOG_LEVEL: 'silent',
      },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    workers.push(worker);
    return worker;
  }

  it('cancels what nobody has begun, with its file and its scan', async () => {
    const job = await api.call<Job>('/v1/scans', {
      form: form(video, 'demo.webm'),
      headers: { prefer: 'wait=1' },
    });
    expect([job.status, job.body.state]).toEqual([202, 'queued']);
    expect(api.uploadedFiles()).toHaveLength(1);
    const cancelled = await api.call<Job>(`/v1/jobs/${job.body.id}:cancel`, { method: 'POST' });
    expect([cancelled.status, cancelled.body.state]).toEqual([200, 'cancelled']);
    const scans = await api.call<{ data: { state: string }[] }>('/v1/scans');
    expect(scans.body.data.map((scan) => scan.state)).toEqual(['cancelled']);
    expect(await api.leftovers()).toEqual(nothingLeft);
    await api.expectProblem(`/v1/jobs/${job.body.id}:pause`, { method: 'POST' }, 404, 'request.not-found');
  });

  it('cancels what a worker is in the middle of', async () => {
    const path = join(api.test.dataDir, 'long.wav');
    const rate = 4_000;
    const noise = new Float32Array(rate * 3 * 3_600);
    for (let i = 0, state = 1; i < noise.length; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) | 0;
      noise[i] = state / 2 ** 31;
    }
    writeWav(path, noise, rate);
    const { body } = await api.call<Job>('/v1/scans', { form: form(readFileSync(path), 'long.wav') });
    startWorker();
    for (;;) {
      const { body: job } = await api.call<Job>(`/v1/jobs/${body.id}`);
      if (job.state !== 'queued') break;
    }
    await api.call(`/v1/jobs/${body.id}:cancel`, { method: 'POST' });
    expect((await ended(api, body.id)).state).toBe('cancelled');
    const scans = await api.call<{ data: { state: string }[] }>('/v1/scans');
    expect(scans.body.data.map((scan) => scan.state)).toEqual(['cancelled']);
    expect(await api.leftovers()).toEqual(nothingLeft);
  });

  it('shares its work between two worker processes on one database', async () => {
    startWorker();
    startWorker();
    const queued = await Promise.all(trackNames.slice(0, 6).map((name) => sendTrack(api, name, 0)));
    expect(queued.map(({ status }) => status)).toEqual(queued.map(() => 202));
    const jobs = await Promise.all(queued.map(({ body }) => ended(api, body.id)));
    expect(jobs.map((job) => job.state)).toEqual(jobs.map(() => 'done'));
    const { body } = await api.call<{ data: { status: string; title: string }[] }>('/v1/tracks?status=ready');
    expect(body.data.map((track) => track.title).sort()).toEqual(trackNames.slice(0, 6));
    const bytes = readFileSync(join(folder, trackNames[2] ?? ''));
    const heard = await api.call<{ matches: Match[] }>('/v1/identify', { form: form(bytes, 'clip.opus') });
    expect(heard.body.matches[0]?.trackId).toBe(jobs[2]?.result?.trackId);
    expect(await api.leftovers()).toEqual(nothingLeft);
  });

  it('keeps a job whose worker was told to stop for the next worker', async () => {
    const { body } = await api.call<Job>('/v1/scans', { form: form(video, 'demo.webm') });
    const first = startWorker();
    for (;;) {
      const { body: job } = await api.call<Job>(`/v1/jobs/${body.id}`);
      if (job.state !== 'queued') break;
    }
    first.kill('SIGTERM');
    await once(first, 'exit');
    const { body: released } = await api.call<Job>(`/v1/jobs/${body.id}`);
    expect(['queued', 'done']).toContain(released.state);
    startWorker();
    const job = await ended(api, body.id);
    expect(job).toMatchObject({ state: 'done', attempts: 1 });
    expect(await api.leftovers()).toEqual(nothingLeft);
  });
});

describe('a server with a small allowance', () => {
  it('says when to come back', async () => {
    const api = await ApiServer.start({ EARMARK_REQUESTS_PER_MINUTE: '3' });
    try {
      for (let i = 0; i < 3; i++) expect((await api.call('/v1/tracks')).status).toBe(200);
      const answer = await api.call('/v1/tracks');
      expect([answer.status, answer.body['code']]).toEqual([429, 'request.rate-limited']);
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    } finally {
      await api.stop();
    }
  });
});
