import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { seededRandom, type TrackId } from '@earmark/kernel';
import { certainTracks } from '../seeded-tracks.js';
import { crashQuery, crashSettings, crashStep, crashTracks } from './crash-workload.js';
import type { CrashPoint } from './crash-files.js';
import { openEmbeddedIndex } from './embedded-index.js';
import { sourceExecArgv } from './maintenance-thread.js';

/** How a crash run went: what it hit, and every sentence of what was lost or came back (none is right). */
export type CrashReport = Readonly<{ killed: boolean; acknowledged: number; faults: readonly string[] }>;

const stepsPerRun = 120;

/** A folder that goes through crash after crash, and what must be in it. */
export class CrashFolder {
  /** For each track the versions that may be there; `undefined` for none. More than one: a write was cut off. */
  private readonly possible = new Map<TrackId, (number | undefined)[]>(
    crashTracks.map((id) => [id, [undefined]]),
  );
  private nextStep = 0;

  constructor(
    private readonly directory: string,
    private readonly seed: number,
  ) {}

  /**
   * Lets a process write until it is killed, opens the folder again and compares.
   *
   * @param point where the process kills itself; absent: killed from outside after so many acknowledged writes, while
   * a worker thread does the maintenance
   * @param occurrence the how-manieth call of that kind, or acknowledged writes
   */
  async crash(point: CrashPoint | undefined, occurrence: number): Promise<CrashReport> {
    const first = this.nextStep;
    const { acknowledged, killed } = await this.runChild(first, point, occurrence);
    this.expect(first, acknowledged);
    return { killed, acknowledged: acknowledged.size, faults: await this.compare() };
  }

  /** Works out which versions are possible; steps after the last acknowledged group may or may not have happened. */
  private expect(first: number, acknowledged: ReadonlySet<number>): void {
    const last = Math.max(first - 1, ...acknowledged);
    this.nextStep = last + 10;
    for (let step = first; step <= last + 3; step++) {
      const { trackId, version } = crashStep(this.seed, step);
      const before = this.possible.get(trackId) ?? [];
      this.possible.set(trackId, acknowledged.has(step) ? [version] : [...before, version]);
    }
  }

  private async compare(): Promise<string[]> {
    const faults: string[] = [];
    const index = await openEmbeddedIndex({ directory: this.directory, mode: 'write', ...crashSettings });
    try {
      await index.verify();
      for (const [trackId, versions] of this.possible) {
        const present: number[] = [];
        for (const version of new Set(versions)) {
          if (version === undefined) continue;
          if ((await certainTracks(index, crashQuery(version))).includes(trackId)) present.push(version);
        }
        const expected = versions.map((version) => version ?? 'nothing').join(' or ');
        if (present.length > 1) faults.push(`${trackId}: versions ${present.join(' and ')} at once`);
        else if (!versions.includes(present.at(0))) {
          faults.push(`${trackId}: ${present.at(0) ?? 'nothing'} instead of ${expected}`);
        }
        this.possible.set(trackId, [present.at(0)]);
      }
      const known = [...this.possible.values()].filter(([version]) => version !== undefined).length;
      const { tracks } = await index.health();
      if (tracks !== known) faults.push(`${tracks} tracks instead of ${known}`);
    } finally {
      await index.close();
    }
    return faults;
  }

  private runChild(
    first: number,
    point: CrashPoint | undefined,
    occurrence: number,
  ): Promise<{ acknowledged: Set<number>; killed: boolean }> {
    const source = import.meta.url.endsWith('.ts');
    const script = fileURLToPath(new URL(source ? './crash-child.ts' : './crash-child.js', import.meta.url));
    const child = spawn(
      process.execPath,
      [
        ...(source ? sourceExecArgv : []),
        script,
        ...[this.directory, this.seed, first, stepsPerRun, point ?? '-', occurrence].map(String),
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    const acknowledged = new Set<number>();
    let rest = '';
    let complaint = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line !== 'done') acknowledged.add(Number(line));
      if (!point && acknowledged.size >= occurrence) child.kill('SIGKILL');
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text));
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => {
        if (code !== 0 && signal !== 'SIGKILL') reject(new Error(`the writing process failed: ${complaint}`));
        else resolve({ acknowledged, killed: signal === 'SIGKILL' });
      });
    });
  }
}

/** How often a call of each kind may happen before the crash: the rarer the call, the smaller. */
const mostOccurrences: Readonly<Record<CrashPoint, number>> = {
  'log write': 30,
  'log sync': 30,
  'log open': 6,
  'flush write': 20,
  'flush sync': 5,
  'merge write': 16,
  'merge sync': 4,
  'manifest write': 8,
  'manifest sync': 8,
  'manifest rename': 8,
  'file remove': 12,
  'lock write': 1,
  'lock link': 1,
};

/** The occurrence at which a seed crashes at a point. */
export function occurrenceFor(point: CrashPoint, seed: number): number {
  return 1 + Math.floor(seededRandom(seed).next() * mostOccurrences[point]);
}
