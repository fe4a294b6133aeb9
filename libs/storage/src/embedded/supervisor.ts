/**
 * The process that owns one embedded PostgreSQL cluster.
 *
 * Started detached by the first Earmark process on a data folder, it listens on a local socket whose name only one
 * process can hold. Every Earmark process on the folder keeps one connection to that socket open for its life, so the
 * supervisor sees each come and go, also by kill -9. It starts the server for the first, tells each the port, restarts
 * a server that died, takes over one that an earlier supervisor left, and stops the server when the last has gone.
 *
 * Self-contained on purpose (Node built-ins only, erasable types): it also runs straight from its source.
 *
 * Root: PostgreSQL refuses to run as root, so it runs as the folder's owner or as 65534 (nobody). That user may be
 * unable to walk to the folder (a parent with mode 0700); on Linux the open folder is handed over as descriptor 3 and
 * addressed as /proc/self/fd/3, which needs no permission on its parents.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';

/** First argument of the process, as JSON. */
type SupervisorOptions = Readonly<{
  /** Folder of the cluster, its password and its log. */
  directory: string;
  /** Name of the local socket. */
  address: string;
  /** Folder with `postgres` and `initdb`. */
  binaries: string;
}>;

const nobody = 65534;
const firstClientTimeoutMs = 15_000;
const startTimeoutMs = 60_000;
const logLimitBytes = 10_000_000;
const maxRestarts = 5;

const options = JSON.parse(process.argv[2] ?? '{}') as SupervisorOptions;
const cluster = path.join(options.directory, 'cluster');
const pidFile = path.join(cluster, 'postmaster.pid');
const passwordFile = path.join(options.directory, 'password');
const logFile = path.join(options.directory, 'server.log');

/** How to run a program of the cluster: user, handed-over folder, and the folder's name as that program sees it. */
type Account = Readonly<{ uid?: number; gid?: number; folder: string; descriptor: number }>;

/** A running server: a child of this process, or one taken over. */
type Server = { port: number; pid: number; child?: ChildProcess };

const clients = new Set<net.Socket>();
let hadClient = false;
let phase: 'starting' | 'running' | 'stopping' = 'starting';
let server: Server | undefined;
let restarts = 0;

function log(text: string): void {
  fs.appendFileSync(logFile, `${new Date().toISOString()} supervisor: ${text}\n`);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function prepareFolder(): Account {
  fs.mkdirSync(options.directory, { recursive: true, mode: 0o700 });
  const isRoot = process.getuid?.() === 0;
  let owner = fs.statSync(options.directory);
  if (isRoot && owner.uid === 0) {
    fs.chownSync(options.directory, nobody, nobody);
    owner = fs.statSync(options.directory);
  }
  fs.chmodSync(options.directory, 0o700);
  if (fs.existsSync(logFile) && fs.statSync(logFile).size > logLimitBytes) fs.truncateSync(logFile);
  const descriptor = fs.openSync(options.directory, 'r');
  const folder = process.platform === 'linux' ? '/proc/self/fd/3' : options.directory;
  return isRoot ? { uid: owner.uid, gid: owner.gid, folder, descriptor } : { folder, descriptor };
}

function user(account: Account): { uid?: number; gid?: number } {
  return account.uid === undefined ? {} : { uid: account.uid, gid: account.gid ?? account.uid };
}

const environment = { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };

function run(account: Account, program: string, args: readonly string[], input = ''): void {
  const result = spawnSync(path.join(options.binaries, program), args, {
    ...user(account),
    cwd: '/',
    env: environment,
    input,
    stdio: ['pipe', 'pipe', 'pipe', account.descriptor],
    encoding: 'utf8',
  });
  if (result.error) throw result.error;
  if (result.status !== 0) {
    throw new Error(`${program} ended with ${result.status ?? result.signal}: ${result.stderr.trim()}`);
  }
}

/** Makes the cluster under a temporary name, so that an interrupted attempt is thrown away by the next one. */
function initialise(account: Account): void {
  const fresh = path.join(options.directory, 'cluster.new');
  fs.rmSync(fresh, { recursive: true, force: true });
  fs.writeFileSync(passwordFile, randomBytes(24).toString('base64url'), { mode: 0o600 });
  if (account.uid !== undefined) fs.chownSync(passwordFile, account.uid, account.gid ?? account.uid);
  const data = `${account.folder}/cluster.new`;
  run(account, 'initdb', [
    ...['-D', data, '-U', 'earmark', '-A', 'scram-sha-256', `--pwfile=${account.folder}/password`],
    ...['-E', 'UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--no-sync'],
  ]);
  run(account, 'postgres', ['--single', '-D', data, 'postgres'], 'CREATE DATABASE earmark;\n');
  fs.renameSync(fresh, cluster);
}

/** First lines of postmaster.pid: pid, folder, start, port, socket folder, address, shared memory, state. */
function readPidFile(): { pid: number; port: number; ready: boolean } | undefined {
  let lines: string[];
  try {
    lines = fs.readFileSync(pidFile, 'utf8').split('\n');
  } catch {
    return undefined;
  }
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 1) return undefined;
  return { pid, port: Number(lines[3]), ready: (lines[7] ?? '').trim() === 'ready' };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Tells a PostgreSQL server from another process that got the same number after a restart of the machine. */
function isPostgres(pid: number): boolean {
  if (!isAlive(pid)) return false;
  if (process.platform !== 'linux') return true;
  try {
    return fs.readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'postgres';
  } catch {
    return false;
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = net.createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

/** Finds a server that an earlier supervisor left; waits for one that is on its way out. */
async function adopt(): Promise<Server | undefined> {
  const deadline = Date.now() + startTimeoutMs;
  for (;;) {
    const found = readPidFile();
    if (!found) return undefined;
    if (!isPostgres(found.pid)) {
      if (isAlive(found.pid)) fs.rmSync(pidFile, { force: true });
      return undefined;
    }
    if (found.ready) return { pid: found.pid, port: found.port };
    if (Date.now() > deadline)
      throw new Error(`the server with process id ${found.pid} neither starts nor stops`);
    await pause(50);
  }
}

async function launch(account: Account, port: number): Promise<Server> {
  const output = fs.openSync(logFile, 'a', 0o600);
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: 200,
    client_connection_check_interval: '2s',
    log_min_messages: 'warning',
    jit: 'off',
  };
  const child = spawn(
    path.join(options.binaries, 'postgres'),
    [
      ...['-D', `${account.folder}/cluster`, '-p', String(port)],
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    { ...user(account), cwd: '/', env: environment, stdio: ['ignore', output, output, account.descriptor] },
  );
  fs.closeSync(output);
  let failure: Error | undefined;
  child.once('error', (error) => (failure = error));
  child.once('exit', (code, signal) => {
    failure ??= new Error(
      `the server ended with ${code ?? signal}: ${fs.readFileSync(logFile, 'utf8').slice(-1000)}`,
    );
  });
  const deadline = Date.now() + startTimeoutMs;
  for (;;) {
    if (failure) throw failure;
    const found = readPidFile();
    if (found?.pid === child.pid && found?.ready && found.port === port)
      return { pid: found.pid, port, child };
    if (Date.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`the server did not start within ${startTimeoutMs} ms`);
    }
    await pause(15);
  }
}

async function start(account: Account, wantedPort?: number): Promise<Server> {
  if (!fs.existsSync(cluster)) initialise(account);
  const adopted = await adopt();
  if (adopted) {
    log(`takes over the server with process id ${adopted.pid}`);
    return adopted;
  }
  for (let attempt = 1; ; attempt++) {
    try {
      return await launch(account, wantedPort ?? (await freePort()));
    } catch (error) {
      // After a crash the last processes of the old server may hold its memory for a moment.
      if (attempt >= 10) throw error;
      log(`start ${attempt} failed: ${String(error)}`);
      await pause(100 * attempt);
    }
  }
}

function tell(client: net.Socket): void {
  if (server && phase === 'running') client.write(`${JSON.stringify({ port: server.port })}\n`);
}

/** Fast shutdown: open transactions roll back, everything acknowledged is on disk. */
async function stop(): Promise<void> {
  if (!server) return;
  const { pid } = server;
  server = undefined;
  const deadline = Date.now() + startTimeoutMs;
  if (isAlive(pid)) process.kill(pid, 'SIGINT');
  while (isAlive(pid)) {
    if (Date.now() > deadline) process.kill(pid, 'SIGQUIT');
    await pause(15);
  }
}

async function begin(account: Account, wantedPort?: number): Promise<void> {
  phase = 'starting';
  server = await start(account, wantedPort);
  phase = 'running';
  const { child, pid, port } = server;
  child?.once('exit', () => {
    if (phase !== 'running' || server?.pid !== pid) return;
    log('the server died, starting it again');
    if (++restarts > maxRestarts) fail(new Error('the server died too often'));
    begin(account, port).catch(fail);
  });
  for (const client of clients) tell(client);
  stopWhenAlone(account);
}

function fail(error: unknown): void {
  const title = error instanceof Error ? error.message : String(error);
  log(title);
  for (const client of clients) client.write(`${JSON.stringify({ error: title })}\n`);
  void stop().finally(() => process.exit(1));
}

/** Stops the server and ends, unless somebody connected while it was stopping. */
function stopWhenAlone(account: Account): void {
  if (clients.size > 0 || !hadClient || phase !== 'running') return;
  phase = 'stopping';
  stop()
    .then(() => {
      for (const socket of leaving) socket.end();
      leaving.clear();
      if (clients.size === 0) process.exit(0);
      return begin(account);
    })
    .catch(fail);
}

/** Clients that said good-bye and wait to hear that their part is done. */
const leaving = new Set<net.Socket>();

function main(): void {
  const listener = net.createServer({ allowHalfOpen: true });
  let account: Account;
  listener.on('connection', (client) => {
    clients.add(client);
    hadClient = true;
    const leave = (): void => {
      if (!clients.delete(client)) return;
      if (clients.size > 0 && phase === 'running') client.end();
      else leaving.add(client);
      stopWhenAlone(account);
    };
    client.on('error', leave);
    client.on('end', leave);
    client.on('close', leave);
    client.resume();
    tell(client);
  });
  listener.once('error', () => process.exit(0));
  listener.listen(options.address, () => {
    try {
      account = prepareFolder();
      begin(account).catch(fail);
    } catch (error) {
      fail(error);
    }
  });
  setTimeout(() => {
    if (!hadClient) void stop().finally(() => process.exit(0));
  }, firstClientTimeoutMs);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      phase = 'stopping';
      void stop().finally(() => process.exit(0));
    });
  }
}

main();
