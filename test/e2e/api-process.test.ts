import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, expect, it } from 'vitest';
import { root } from '../support/earmark.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'earmark-process-'));
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

type Started = Readonly<{ child: ChildProcess; url: string; output: () => string }>;

/** Starts the API as its own process with nothing configured but folder and port. */
async function start(): Promise<Started> {
  const child = spawn(process.execPath, [join(root, 'apps/api/dist/main.js')], {
    env: { PATH: process.env['PATH'] ?? '', EARMARK_DATA_DIR: dataDir, EARMARK_PORT: '0' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let output = '';
  const url = await new Promise<string>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`ended with ${code}: ${output}`)));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      const found = /"url":"([^"]+)"/.exec(output)?.[1];
      if (found !== undefined) resolve(found);
    });
  });
  return { child, url, output: () => output };
}

async function stop({ child }: Started, signal: NodeJS.Signals): Promise<number | null> {
  const exit = once(child, 'exit') as Promise<[number | null]>;
  child.kill(signal);
  return (await exit)[0];
}

function databasePid(): number | undefined {
  const file = join(dataDir, 'postgres', 'cluster', 'postmaster.pid');
  return existsSync(file) ? Number(readFileSync(file, 'utf8').split('\n')[0]) : undefined;
}

const keyPattern = /emk_[\w-]{43}/;

it('makes a key at its first start, shows it once, listens on loopback only and survives kill -9', async () => {
  const first = await start();
  while (!keyPattern.test(first.output())) await once(first.child.stderr!, 'data');
  const key = keyPattern.exec(first.output())?.[0] ?? '';
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const made = await fetch(`${first.url}/v1/tracks`, { method: 'POST', headers, body: '{"title":"kept"}' });
  expect(made.status).toBe(201);
  expect(statSync(join(dataDir, 'postgres')).mode & 0o077).toBe(0);
  expect(new URL(first.url).hostname).toBe('127.0.0.1');
  const others = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  for (const { address } of others.filter((one) => !one.internal && one.family === 'IPv4')) {
    await expect(fetch(first.url.replace('127.0.0.1', address))).rejects.toThrow();
  }
  await stop(first, 'SIGKILL');

  const second = await start();
  const { data } = (await (await fetch(`${second.url}/v1/tracks`, { headers })).json()) as {
    data: { title: string }[];
  };
  expect(data.map((track) => track.title)).toEqual(['kept']);
  expect(keyPattern.test(second.output())).toBe(false);
  expect(await stop(second, 'SIGTERM')).toBe(0);
  for (let i = 0; i < 500 && databasePid() !== undefined; i++) await pause(20);
  expect(databasePid()).toBeUndefined();
});
