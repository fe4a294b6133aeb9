import { Listener } from '@earmark/engine';
import { DomainError } from '@earmark/kernel';
import {
  builtInModel,
  type Candidate,
  featureSize,
  rankHeads,
  shortestWindowMs,
  type Side,
  windowMs,
} from '@earmark/transition';
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { type Command, UsageError } from '../command.js';
import { failureLine, type Output } from '../output.js';
import { readSettings } from '../settings.js';
import { forEachInput, withInterrupt } from './session.js';

const window = z.object({
  path: z.string().min(1),
  startMs: z.number().min(0),
  endMs: z.number().min(0),
});
const query = z.object({
  id: z.string(),
  tail: window,
  candidates: z.array(window.extend({ id: z.string() })).min(1),
});
type Window = z.output<typeof window>;
type SidedWindow = Window & Readonly<{ side: Side }>;
type Query = z.output<typeof query>;

/** A line of a queries file that is no query; nothing was ranked. */
class QueryFileError extends DomainError {
  readonly code = 'transition.bad-query';
}

/** `earmark transition rank`: ranks any windows of any files as continuations of others. */
export const transitionCommand: Command = {
  name: 'transition',
  usage: 'transition rank --queries FILE.jsonl [--json]',
  summary: 'Ranks heads for tails: windows of files, one query a line (evaluation).',
  flags: {
    queries: {
      type: 'string',
      value: 'FILE',
      help: '{"id","tail":{path,startMs,endMs},"candidates":[...]} a line',
    },
  },
  async run(args, output) {
    if (args.positionals.join(' ') !== 'rank') throw new UsageError('the only action is: rank');
    const file = args.text('queries');
    if (file === undefined) throw new UsageError('--queries FILE is missing');
    const queries = await readQueries(file);
    const settings = readSettings(args);
    const listener = new Listener(settings);
    try {
      return await withInterrupt(async (signal) => {
        const seams = new SeamCodes();
        for (const { tail, candidates } of queries) {
          seams.want(tail, 'tail');
          for (const candidate of candidates) seams.want(candidate, 'head');
        }
        await seams.hear(listener, settings.concurrency, output, signal);
        signal.throwIfAborted();
        return rankAll(queries, seams, output);
      });
    } finally {
      await listener.close();
    }
  },
};

/** A candidate that could not be ranked, and why. */
type Unranked = Readonly<{ id: string; error: Readonly<{ code: string; title: string }> }>;

/**
 * Ranks every query; what could not be heard is listed beside the ranking, a tail that could not be heard has an empty one.
 *
 * @returns exit code: 1 if a window could not be heard
 */
function rankAll(queries: readonly Query[], seams: SeamCodes, output: Output): number {
  let failed = 0;
  for (const { id, tail, candidates } of queries) {
    const from = seams.of(tail, 'tail');
    const heads: Candidate[] = [];
    const unranked: Unranked[] = [];
    for (const candidate of candidates) {
      const code = seams.of(candidate, 'head');
      if (code === undefined) unranked.push({ id: candidate.id, error: seams.fault(candidate) });
      else heads.push({ id: candidate.id, code });
    }
    const { ranked, scores } =
      from === undefined ? { ranked: [], scores: [] } : rankHeads(seams.model, from, heads);
    if (from === undefined || unranked.length > 0) failed++;
    const line = {
      id,
      ranked,
      scores,
      ...(unranked.length > 0 ? { unranked } : {}),
      ...(from === undefined ? { error: seams.fault(tail) } : {}),
    };
    output.result(line, () =>
      from === undefined ? `${id}: ${seams.fault(tail).title}` : `${id}: ${ranked.slice(0, 5).join(' ')}`,
    );
  }
  return failed > 0 ? 1 : 0;
}

async function readQueries(file: string): Promise<readonly Query[]> {
  const queries: Query[] = [];
  let row = 0;
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    row++;
    if (line.trim() === '') continue;
    const result = query.safeParse(parseJson(line));
    if (!result.success) throw new QueryFileError(`${file}, line ${row}: ${z.prettifyError(result.error)}`);
    queries.push(result.data);
  }
  return queries;
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** Codes of windows; each file is decoded once for all of its windows. */
class SeamCodes {
  readonly #wanted = new Map<string, Map<string, SidedWindow>>();
  readonly #codes = new Map<string, Float32Array>();
  readonly #faults = new Map<string, Unranked['error']>();
  readonly model = builtInModel();

  want(wanted: Window, side: Side): void {
    const { path, startMs, endMs } = wanted;
    const windows = this.#wanted.get(path) ?? new Map<string, SidedWindow>();
    windows.set(keyOf(wanted, side), { path, startMs, endMs, side });
    this.#wanted.set(path, windows);
  }

  /** Why a window has no code. */
  fault({ path }: Window): Unranked['error'] {
    return (
      this.#faults.get(path) ?? {
        code: 'transition.window-too-short',
        title: `the file holds less than ${shortestWindowMs} ms of the window`,
      }
    );
  }

  /** The code of a window; absent if its file could not be heard. */
  of(wanted: Window, side: Side): Float32Array | undefined {
    return this.#codes.get(keyOf(wanted, side));
  }

  async hear(listener: Listener, concurrency: number, output: Output, signal: AbortSignal): Promise<void> {
    const files = [...this.#wanted.keys()];
    // Standard output has one line a query, which names what could not be heard.
    const quiet: Output = {
      ...output,
      failure: (path, error) => output.note(`${path}: ${failureLine(path, error).error.title}`),
    };
    await forEachInput(files, { label: 'listen', concurrency, output: quiet, signal }, async (path) => {
      const windows = [...(this.#wanted.get(path)?.entries() ?? [])];
      const wanted = windows.map(([, window]) => nearBorder(window));
      const rows = await listener.windows(path, wanted, { signal }).catch((error: unknown) => {
        this.#faults.set(path, failureLine(path, error).error);
        throw error;
      });
      windows.forEach(([key, { side }], i) => {
        const row = rows.subarray(i * featureSize, (i + 1) * featureSize);
        if (row.some((value) => value !== 0)) this.#codes.set(key, this.model.embed(row, side));
      });
      return Math.max(...windows.map(([, { endMs }]) => endMs));
    });
  }
}

/** The part of a window that the model looks at: the 8 s next to the border. */
function nearBorder(window: SidedWindow): SidedWindow {
  const { startMs, endMs, side } = window;
  return side === 'tail'
    ? { ...window, startMs: Math.max(startMs, endMs - windowMs) }
    : { ...window, endMs: Math.min(endMs, startMs + windowMs) };
}

function keyOf({ path, startMs, endMs }: Window, side: Side): string {
  return JSON.stringify([path, startMs, endMs, side]);
}
