import { openTestDatabase, type TestDatabase } from '@earmark/storage/testing';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root, samples } from '../support/earmark.ts';

type JobAnswer = Readonly<{
  id: string;
  state: string;
  result?: Readonly<{ trackId?: string; matches?: number }>;
}>;

const tracks = readdirSync(join(samples, 'tracks')).sort();

describe('one database, an API process and two worker processes', () => {
  let test: TestDatabase;
  let url = '';
  let key = '';
  const running: ChildProcess[] = [];

  beforeAll(async () => {
    test = await openTestDatabase();
    const api = start('apps/api/dist/main.js', { EARMARK_API_WORKER: 'false', EARMARK_PORT: '0' });
    for await (const line of createInterface({ input: api.stderr ?? process.stdin })) {
      key = /^API key.*: (\S+)$/.exec(line)?.[1] ?? key;
      url = (/"url":"([^"]+)"/.exec(line)?.[1] ?? url).replace(/\/$/, '');
      if (key !== '' && url !== '') break;
    }
  });

  afterAll(async () => {
    const alive = running.filter((child) => child.exitCode === null && child.signalCode === null);
    await Promise.all(alive.map((child) => (child.kill('SIGTERM'), once(child, 'exit'))));
    await test.end();
  });

  function start(entry: string, environment: Readonly<Record<string, string>> = {}): ChildProcess {
    const child = spawn(process.execPath, [join(root, entry)], {
      env: {
        ...process.env,
        DATABASE_URL: test.databaseUrl,
        EARMARK_DATA_DIR: test.dataDir,
        EARMARK_CONCURRENCY: '1',
        ...environment,
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    running.push(child);
    return child;
  }

  async function call(path: string, body?: FormData): Promise<{ status: number; answer: JobAnswer }> {
    const response = await fetch(url + path, {
      headers: { authorization: `Bearer ${key}` },
      ...(body === undefined ? {} : { method: 'POST', body }),
    });
    return { status: response.status, answer: (await response.json()) as JobAnswer };
  }

  function form(path: string): FormData {
    const data = new FormData();
    data.append('file', new Blob([new Uint8Array(readFileSync(path))]), path.split('/').at(-1));
    return data;
  }

  it('ingests through both, survives the loss of one, and finds the tracks in a video', async () => {
    const posted = await Promise.all(
      tracks.map((file) => call('/v1/tracks', form(join(samples, 'tracks', file)))),
    );
    expect(posted.map(({ status }) => status)).toEqual(tracks.map(() => 202));
    const first = start('apps/worker/dist/main.js');
    start('apps/worker/dist/main.js');
    const jobs = posted.map(({ answer }) => answer.id);
    await expect.poll(() => states(jobs), { timeout: 60_000, interval: 300 }).toContain('done');
    first.kill('SIGKILL');
    await expect
      .poll(() => states(jobs), { timeout: 120_000, interval: 500 })
      .toEqual(jobs.map(() => 'done'));
    const scan = await call('/v1/scans', form(join(samples, 'video/demo.webm')));
    await expect.poll(() => states([scan.answer.id]), { timeout: 60_000, interval: 300 }).toEqual(['done']);
    const { answer } = await call(`/v1/jobs/${scan.answer.id}`);
    expect(answer.result?.matches).toBe(3);
  });

  async function states(jobs: readonly string[]): Promise<string[]> {
    return Promise.all(jobs.map(async (id) => (await call(`/v1/jobs/${id}`)).answer.state));
  }
});
