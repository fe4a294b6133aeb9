import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable } from 'node:stream';
import { AbortedError, StalledError } from './media-error.js';

type Child = ChildProcessByStdio<null, Readable, Readable>;

const graceMs = 2_000;
const memoryLimitKiB = 2 * 1_048_576;

/**
 * A child process whose stdout is read on demand: while nobody reads, its pipe fills and it waits.
 *
 * On Linux its address space is limited to 2 GiB. {@link stop} sends SIGTERM, then SIGKILL after two seconds.
 */
export class PipedProcess {
  private readonly child: Child;
  private readonly chunks: AsyncIterator<Uint8Array>;
  private readonly ended: Promise<number | undefined>;
  private killTimer: NodeJS.Timeout | undefined;
  private startError: Error | undefined;

  /** @param onStderr takes what the process says, piece by piece */
  constructor(command: string, args: readonly string[], onStderr: (text: string) => void) {
    const [file, fileArgs] = withMemoryLimit(command, args);
    this.child = spawn(file, fileArgs, { stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true });
    this.child.stderr.setEncoding('utf8').on('data', onStderr);
    this.ended = new Promise((resolve) => {
      this.child.once('error', (error) => {
        this.startError = error;
        resolve(undefined);
      });
      this.child.once('close', (code) => {
        clearTimeout(this.killTimer);
        resolve(code ?? undefined);
      });
    });
    this.chunks = (this.child.stdout as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  }

  /**
   * Next piece of stdout, undefined at its end.
   *
   * @throws {StalledError} if none comes within `stallTimeoutMs` @throws {AbortedError} if the signal ends the wait
   */
  async read(stallTimeoutMs: number, signal: AbortSignal | undefined): Promise<Uint8Array | undefined> {
    const result = await within(this.chunks.next(), stallTimeoutMs, signal);
    return result.done ? undefined : result.value;
  }

  /** Waits for the end; gives the exit code, or undefined where a signal ended the process or it never started. */
  async exit(): Promise<number | undefined> {
    return this.ended;
  }

  /** Why the process never started. */
  get failure(): Error | undefined {
    return this.startError;
  }

  /** Ends the process; returns when it is gone. */
  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null && !this.startError) {
      this.child.kill('SIGTERM');
      this.killTimer = setTimeout(() => this.child.kill('SIGKILL'), graceMs);
    }
    this.child.stdout.destroy();
    await this.ended;
  }
}

function withMemoryLimit(command: string, args: readonly string[]): [string, string[]] {
  if (process.platform !== 'linux') return [command, [...args]];
  return ['/bin/sh', ['-c', `ulimit -v ${memoryLimitKiB}; exec "$0" "$@"`, command, ...args]];
}

async function within<T>(work: Promise<T>, timeoutMs: number, signal: AbortSignal | undefined): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let onAbort: (() => void) | undefined;
  const guard = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new StalledError(timeoutMs)), timeoutMs);
    onAbort = () => reject(new AbortedError({ cause: signal?.reason }));
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted) onAbort();
  });
  try {
    return await Promise.race([work, guard]);
  } finally {
    clearTimeout(timer);
    if (onAbort) signal?.removeEventListener('abort', onAbort);
  }
}
