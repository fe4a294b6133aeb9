import { type Engine, type IndexAccess, openEngine } from '@earmark/engine';
import { DomainError } from '@earmark/kernel';
import type { Arguments } from '../command.js';
import { UsageError } from '../command.js';
import type { Output } from '../output.js';
import { readSettings } from '../settings.js';

/** Paths or ids of a command. @throws {UsageError} if there are none */
export function required(args: Arguments, what: string): readonly string[] {
  if (args.positionals.length === 0) throw new UsageError(`name at least one ${what}`);
  return args.positionals;
}

/**
 * Opens the engine on the data folder of the command line, runs `work`, and closes the engine whatever happens. The
 * first interrupt aborts the signal, so that work ends at a clean place.
 *
 * @param access what the command does with the index
 */
export async function withEngine<T>(
  args: Arguments,
  access: IndexAccess,
  work: (engine: Engine, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  return withInterrupt(async (signal) => {
    const engine = await openEngine({ ...readSettings(args), access });
    try {
      return await work(engine, signal);
    } finally {
      await engine.close();
    }
  });
}

/** Work that the user stopped. */
export class InterruptedError extends DomainError {
  readonly code = 'cli.interrupted';
}

/** Runs `work` with a signal that the first interrupt aborts. */
export async function withInterrupt<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const abort = new AbortController();
  const interrupt = (): void => abort.abort(new InterruptedError('interrupted'));
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  try {
    return await work(abort.signal);
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  }
}

/**
 * Runs `work` on every input, several at a time, with a progress display; a failed input prints its error and the
 * others go on.
 *
 * @param work resolves to the media time that it covered, for the rate
 * @returns exit code: 0, or 1 when some inputs failed
 */
export async function forEachInput(
  inputs: readonly string[],
  options: { label: string; concurrency: number; output: Output; signal: AbortSignal },
  work: (input: string) => Promise<number>,
): Promise<number> {
  const { label, concurrency, output, signal } = options;
  const progress = output.progress(label, inputs.length);
  let failed = 0;
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let input = inputs[next++]; input !== undefined; input = inputs[next++]) {
      if (signal.aborted) {
        failed++;
        continue;
      }
      try {
        progress.advance(1, await work(input));
      } catch (error) {
        failed++;
        output.failure(input, error);
        progress.advance(1);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, inputs.length) }, lane));
  progress.end();
  return failed > 0 ? 1 : 0;
}
