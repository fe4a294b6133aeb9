import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { joinEmbeddedServer, type EmbeddedServerLease } from './embedded-server.js';

let root: string;
let dataDir: string;
const children: ChildProcess[] = [];

beforeAll(() => {
  // Below a folder that only its owner may enter, as /root is.
  root = mkdtempSync(path.join(os.tmpdir(), 'earmark-embedded-'));
  chmodSync(root, 0o700);
  dataDir = path.join(root, 'data');
  mkdirSync(dataDir, { mode: 0o700 });
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await until(() => !isAlive(serverPid()));
}, 60_000);
afterAll(() => rmSync(root, { recursive: true, force: true }));

function serverPid(): number | undefined {
  const file = path.join(dataDir, 'postgres', 'cluster', 'postmaster.pid');
  return existsSync(file) ? Number(readFileSync(file, 'utf8').split('\n')[0]) : undefined;
}

function isAlive(pid: number | undefined): boolean {
  if (pid === undefined) return false;
  try {
    process.kill(pid, 0);
    // A killed child that nobody has reaped yet still has a number.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** Waits for a condition of another process, which tells nobody when it changes. */
async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 1500 && !condition(); i++) await pause(20);
  expect(condition()).toBe(true);
}

async function query(lease: EmbeddedServerLease, text: string): Promise<pg.QueryResult> {
  const client = new pg.Client({ ...lease });
  await client.connect();
  try {
    return await client.query(text);
  } finally {
    await client.end();
  }
}

/** Another process, running from source, that joins the server and stays until it is killed. */
function holdInAnotherProcess(): Promise<ChildProcess> {
  const script = `
    import { registerHooks } from 'node:module';
    registerHooks({
      resolve: (name, context, next) =>
        next(name.startsWith('.') ? name.replace(/[.]js$/, '.ts') : name, context),
    });
    const { joinEmbeddedServer } = await import(${JSON.stringify(new URL('./embedded-server.ts', import.meta.url).href)});
    const lease = await joinEmbeddedServer(${JSON.stringify(dataDir)});
    console.log(lease.port);
    setInterval(() => {}, 1000);`;
  const args = [
    '--no-warnings',
    '--experimental-transform-types',
    '--conditions=@earmark/source',
    '--input-type=module',
    '-e',
    script,
  ];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  return new Promise((resolve) => child.stdout?.once('data', () => resolve(child)));
}

describe('the embedded server', () => {
  it('starts anew over an attempt to make the cluster that was interrupted', async () => {
    mkdirSync(path.join(dataDir, 'postgres', 'cluster.new', 'base'), { recursive: true });
    const lease = await joinEmbeddedServer(dataDir);
    await query(lease, 'SELECT 1');
    await lease.release();
  });

  it('keeps its folder and its password to itself and stops with its only user', async () => {
    const lease = await joinEmbeddedServer(dataDir);
    expect(lease.host).toBe('127.0.0.1');
    expect(statSync(path.join(dataDir, 'postgres')).mode & 0o777).toBe(0o700);
    expect(statSync(path.join(dataDir, 'postgres', 'password')).mode & 0o777).toBe(0o600);
    await query(lease, 'SELECT 1');
    await expect(query({ ...lease, password: 'guess' }, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });
    const pid = serverPid();
    await lease.release();
    expect(isAlive(pid)).toBe(false);
  });

  it('is shared by two processes and stops with the last, also after kill -9', async () => {
    const lease = await joinEmbeddedServer(dataDir);
    const other = await holdInAnotherProcess();
    const pid = serverPid();
    await lease.release();
    expect(isAlive(pid)).toBe(true);
    other.kill('SIGKILL');
    await until(() => !isAlive(pid));
  });

  it('keeps what was committed when the server is killed, and comes back on the same port', async () => {
    const lease = await joinEmbeddedServer(dataDir);
    await query(lease, 'CREATE TABLE kept AS SELECT 42 AS answer');
    const pid = serverPid();
    process.kill(pid!, 'SIGKILL');
    await until(() => serverPid() !== pid && isAlive(serverPid()));
    let rows: unknown[] = [];
    for (let i = 0; i < 500 && rows.length === 0; i++) {
      rows = await query(lease, 'SELECT answer FROM kept').then(
        (result) => result.rows as unknown[],
        () => [],
      );
      if (rows.length === 0) await pause(20);
    }
    expect(rows).toEqual([{ answer: 42 }]);
    await lease.release();
  });

  it('takes over a server whose supervisor was killed', async () => {
    const lease = await joinEmbeddedServer(dataDir);
    const pid = serverPid();
    const supervisor = Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
    process.kill(supervisor, 'SIGKILL');
    await until(() => !isAlive(supervisor));
    const second = await joinEmbeddedServer(dataDir);
    expect(second.port).toBe(lease.port);
    expect(serverPid()).toBe(pid);
    await query(second, 'SELECT 1');
    await second.release();
    await lease.release();
    await until(() => !isAlive(pid));
  });

  it('serves processes that start at the same moment with one server', async () => {
    const leases = await Promise.all([1, 2, 3, 4].map(() => joinEmbeddedServer(dataDir)));
    expect(new Set(leases.map((lease) => lease.port)).size).toBe(1);
    await Promise.all(leases.map((lease) => lease.release()));
    expect(isAlive(serverPid())).toBe(false);
    const again = await joinEmbeddedServer(dataDir);
    await query(again, 'SELECT 1');
    await again.release();
  });
});
