import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** Root of the repository. */
export const root = resolve(import.meta.dirname, '../..');
/** The sample tracks and the video. */
export const samples = join(root, 'samples');

/** How a run of the command line ended. */
export type Run = Readonly<{ code: number | null; stdout: string; stderr: string; rows: readonly Row[] }>;

/** One line of `--json` output. */
export type Row = Readonly<Record<string, unknown>> &
  Readonly<{
    path?: string;
    trackId?: string;
    status?: string;
    durationMs?: number;
    error?: Readonly<{ code: string; title: string }>;
    matches?: readonly Readonly<{
      trackId: string;
      path?: string;
      probability: number;
      score: number;
      queryStartMs: number;
      referenceStartMs: number;
      speedRatio: number;
    }>[];
  }>;

/** A private data folder and the real command line on it. */
export class Earmark {
  readonly dataDir: string;

  readonly #environment: Readonly<Record<string, string>>;

  /**
   * @param environment variables added to those of this process
   * @param dataDir folder to use; default a new one
   */
  constructor(
    environment: Readonly<Record<string, string>> = {},
    dataDir = mkdtempSync(join(tmpdir(), 'earmark-e2e-')),
  ) {
    this.#environment = environment;
    this.dataDir = dataDir;
  }

  /** The same folder with other variables. */
  withEnvironment(environment: Readonly<Record<string, string>>): Earmark {
    return new Earmark({ ...this.#environment, ...environment }, this.dataDir);
  }

  /** Starts `earmark ...words`. */
  start(...words: readonly string[]): ChildProcess {
    return spawn(
      process.execPath,
      [join(root, 'apps/cli/bin/earmark.js'), ...words, '--data-dir', this.dataDir],
      {
        cwd: root,
        env: { ...process.env, ...this.#environment },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
  }

  /** Runs `earmark ...words --json` to its end. */
  run(...words: readonly string[]): Promise<Run> {
    return finished(this.start(...words, '--json'));
  }

  /** Removes the data folder. */
  remove(): void {
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}

/** Collects what a process prints until it ends. */
export function finished(child: ChildProcess): Promise<Run> {
  return new Promise((resolveRun, reject) => {
    let stdout = '';
    let stderr = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.once('error', reject);
    child.once('close', (code) => {
      const lines = stdout.split('\n').filter((line) => line.startsWith('{'));
      resolveRun({ code, stdout, stderr, rows: lines.map((line) => JSON.parse(line) as Row) });
    });
  });
}
