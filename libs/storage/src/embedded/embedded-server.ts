import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, realpathSync, rmSync, statSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { StorageError } from '../errors.js';
import { findPostgresBinaries } from './binaries.js';

const joinTimeoutMs = 90_000;
const leaveTimeoutMs = 30_000;

/** This process's part in an embedded server. */
export type EmbeddedServerLease = Readonly<{
  host: string;
  port: number;
  user: string;
  password: string;
  database: string;
  /** Gives up the part; resolves when the server has stopped, or at once if other processes still use it. */
  release(): Promise<void>;
}>;

/**
 * Name of the local socket that only one supervisor of the folder can hold. Linux: an abstract name that vanishes
 * with its process. Elsewhere: a file that the next start removes when nobody answers.
 */
function supervisorAddress(directory: string): string {
  const info = statSync(directory);
  const key = createHash('sha256')
    .update(`${directory}\n${info.dev}\n${info.ino}`)
    .digest('hex')
    .slice(0, 32);
  if (process.platform === 'linux') return `\0earmark-postgres-${key}`;
  return path.join(os.tmpdir(), `earmark-${key.slice(0, 16)}.sock`);
}

function connect(address: string): Promise<net.Socket | undefined> {
  return new Promise((resolve) => {
    const socket = net.connect({ path: address, allowHalfOpen: true });
    socket.once('connect', () => resolve(socket));
    socket.once('error', () => resolve(undefined));
  });
}

function spawnSupervisor(directory: string, address: string): void {
  if (!address.startsWith('\0')) rmSync(address, { force: true });
  const self = fileURLToPath(import.meta.url);
  const script = path.join(path.dirname(self), `supervisor${path.extname(self)}`);
  const options = JSON.stringify({ directory, address, binaries: findPostgresBinaries() });
  // The supervisor outlives this process, so it must not hold its output, its folder or its inspector settings.
  const child = spawn(process.execPath, ['--no-warnings', script, options], {
    detached: true,
    stdio: 'ignore',
    cwd: '/',
    env: { PATH: process.env['PATH'] ?? '' },
  });
  child.unref();
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Waits for the supervisor's first line: the port, or why there is none; absent if it left without a word. */
function readPort(socket: net.Socket): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    let text = '';
    const end = (): void => resolve(undefined);
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      text += chunk;
      if (!text.includes('\n')) return;
      socket.removeAllListeners('data').off('close', end).resume();
      const answer = JSON.parse(text.slice(0, text.indexOf('\n'))) as { port?: number; error?: string };
      if (answer.port !== undefined) resolve(answer.port);
      else reject(new StorageError('storage.server-failed', `embedded PostgreSQL: ${answer.error}`));
    });
    socket.once('close', end);
    socket.on('error', end);
  });
}

async function join(directory: string): Promise<Readonly<{ socket: net.Socket; port: number }>> {
  const address = supervisorAddress(directory);
  const deadline = performance.now() + joinTimeoutMs;
  let spawnAgainAt = 0;
  while (performance.now() < deadline) {
    const socket = await connect(address);
    if (socket) {
      const port = await readPort(socket);
      if (port !== undefined) return { socket, port };
      socket.destroy();
    } else if (performance.now() >= spawnAgainAt) {
      spawnSupervisor(directory, address);
      spawnAgainAt = performance.now() + 5_000;
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new StorageError('storage.server-failed', `embedded PostgreSQL in ${directory} did not start`);
}

function readPassword(directory: string): string {
  try {
    return readFileSync(path.join(directory, 'password'), 'utf8').trim();
  } catch (cause) {
    throw new StorageError('storage.folder-not-ours', `${directory} belongs to another user`, { cause });
  }
}

/**
 * Joins the PostgreSQL server of a data folder, starting it (and making it, the first time) if nobody runs it.
 *
 * The server listens on loopback on a free port, is shared by all processes on the folder, and stops with the last of
 * them, however that ends.
 *
 * @param dataDir data folder; the cluster lives in its subfolder `postgres`, mode 0700
 * @throws {StorageError} `storage.no-embedded-server`, `storage.server-failed`, `storage.folder-not-ours`
 */
export async function joinEmbeddedServer(dataDir: string): Promise<EmbeddedServerLease> {
  const folder = path.join(path.resolve(dataDir), 'postgres');
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new StorageError('storage.folder-not-ours', `${folder} cannot be made: ${reasonOf(cause)}`, {
      cause,
    });
  }
  const directory = realpathSync(folder);
  const uid = process.getuid?.();
  if (uid !== undefined && uid !== 0 && statSync(directory).uid !== uid) {
    throw new StorageError('storage.folder-not-ours', `${directory} belongs to another user`);
  }
  let { socket, port } = await join(directory);
  const firstPort = port;
  let released = false;
  const watch = (): void => {
    socket.unref();
    socket.on('error', () => socket.destroy());
    socket.once('close', () => {
      if (released) return;
      // The supervisor was killed: another one takes the server over while this process goes on using it.
      join(directory).then(
        (next) => {
          socket = next.socket;
          port = next.port;
          if (released) socket.destroy();
          else watch();
        },
        () => undefined,
      );
    });
  };
  watch();
  return {
    host: '127.0.0.1',
    port: firstPort,
    user: 'earmark',
    password: readPassword(directory),
    database: 'earmark',
    async release() {
      if (released) return;
      released = true;
      if (socket.destroyed) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leaveTimeoutMs);
        socket.ref();
        socket.once('close', () => {
          clearTimeout(timer);
          resolve();
        });
        socket.once('end', () => socket.destroy());
        socket.end();
      });
    },
  };
}
