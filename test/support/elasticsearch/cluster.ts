import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const startScript = join(import.meta.dirname, 'start.sh');

/** How a test cluster is started. */
export type TestClusterOptions = Readonly<{
  nodes?: number;
  /** Memory of each node, default `512m`. */
  heap?: string;
  /** Version of the server and the JDK that runs it; default the newest that the machine can run. */
  server?: Readonly<{ version: string; javaHome: string }>;
}>;

/** A real Elasticsearch cluster on loopback with a data folder of its own, ended with the test. */
export class TestCluster {
  readonly urls: readonly string[];
  private readonly directory: string;
  private readonly pids: readonly number[];

  private constructor(directory: string, urls: readonly string[], pids: readonly number[]) {
    this.directory = directory;
    this.urls = urls;
    this.pids = pids;
  }

  /** Starts nodes and waits until they have found each other; the server is fetched the first time. */
  static async start({ nodes = 1, heap = '512m', server }: TestClusterOptions = {}): Promise<TestCluster> {
    const directory = mkdtempSync(join(tmpdir(), 'earmark-elasticsearch-'));
    const port = await freePorts(nodes);
    const chosen = server && { ES_VERSION: server.version, JAVA_HOME: server.javaHome };
    const env = { ...process.env, ES_HEAP: heap, ...chosen };
    await promisify(execFile)(startScript, [directory, String(nodes), String(port)], { env });
    const pids = readFileSync(join(directory, 'pids'), 'utf8').trim().split('\n').map(Number);
    const urls = pids.map((_, i) => `http://127.0.0.1:${port + i}`);
    return new TestCluster(directory, urls, pids);
  }

  /** Ends a node at once, as a power cut would; nodes count from 0. */
  kill(node: number): void {
    process.kill(this.pids[node], 'SIGKILL');
  }

  /** Halts a node without ending it: it takes connections and never answers. */
  freeze(node: number): void {
    process.kill(this.pids[node], 'SIGSTOP');
  }

  /** Lets a halted node go on. */
  thaw(node: number): void {
    process.kill(this.pids[node], 'SIGCONT');
  }

  /** Sends a request to a node; for what the tests want of the cluster itself. */
  async request(method: string, path: string, body?: object, node = 0): Promise<unknown> {
    const answer = await fetch(this.urls[node] + path, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
    return answer.json();
  }

  /** Ends the nodes and removes their data. */
  async stop(): Promise<void> {
    for (const pid of this.pids) endProcess(pid);
    for (let waited = 0; waited < 100 && this.pids.some(isAlive); waited++) await sleep(100);
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** First of `count` neighbouring ports, those 100 above included, that nobody listens on. */
async function freePorts(count: number): Promise<number> {
  for (let port = 20_000 + (process.pid % 400) * 100; ; port += 200) {
    const wanted = Array.from({ length: count }, (_, i) => [port + i, port + 100 + i]).flat();
    if ((await Promise.all(wanted.map(isFree))).every((free) => free)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
