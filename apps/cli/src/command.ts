import { parseArgs, type ParseArgsOptionDescriptor } from 'node:util';
import { DomainError } from '@earmark/kernel';
import type { Output } from './output.js';

/** Wrong use of the command line: ends with exit code 2 and the usage. */
export class UsageError extends DomainError {
  readonly code = 'cli.usage';
}

/** One flag: how it is parsed and how the help names it. */
export type Flag = ParseArgsOptionDescriptor & Readonly<{ value?: string; help: string }>;

/** Parsed words of a command line. */
export type Arguments = Readonly<{
  positionals: readonly string[];
  /** Text of a flag, or undefined when it was not given. */
  text(flag: string): string | undefined;
  /** Whether a switch was given. */
  on(flag: string): boolean;
  /** Number of a flag. @throws {UsageError} if it is not a number */
  number(flag: string): number | undefined;
}>;

/** One command of `earmark`: its words, its help, and what it does; `run` resolves to the exit code. */
export type Command = Readonly<{
  name: string;
  usage: string;
  summary: string;
  flags?: Readonly<Record<string, Flag>>;
  run(args: Arguments, output: Output): Promise<number>;
}>;

/** Flags that every command takes. */
export const commonFlags: Readonly<Record<string, Flag>> = {
  'data-dir': {
    type: 'string',
    value: 'DIR',
    help: 'where the database and the index live (default .earmark)',
  },
  json: { type: 'boolean', help: 'print one JSON object a line' },
  help: { type: 'boolean', short: 'h', help: 'print this help' },
};

/**
 * Parses the words after the command's name.
 *
 * @throws {UsageError} for an unknown flag or a missing value
 */
export function parseArguments(command: Command, words: readonly string[]): Arguments {
  const flags = { ...command.flags, ...commonFlags };
  const options = Object.fromEntries(
    Object.entries(flags).map(([name, { type, short, multiple }]) => [
      name,
      { type, ...(short === undefined ? {} : { short }), ...(multiple === undefined ? {} : { multiple }) },
    ]),
  );
  try {
    const { values, positionals } = parseArgs({
      args: [...words],
      options,
      allowPositionals: true,
      strict: true,
    });
    const text = (flag: string): string | undefined => {
      const value = values[flag];
      return typeof value === 'string' ? value : undefined;
    };
    return {
      positionals,
      text,
      on: (flag) => values[flag] === true,
      number: (flag) => {
        const value = text(flag);
        if (value === undefined) return undefined;
        const number = Number(value);
        if (value.trim() === '' || !Number.isFinite(number)) {
          throw new UsageError(`--${flag}: "${value}" is not a number`);
        }
        return number;
      },
    };
  } catch (error) {
    if (error instanceof TypeError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}

/** Text of `earmark COMMAND --help`. */
export function commandHelp(command: Command): string {
  const rows = Object.entries({ ...command.flags, ...commonFlags }).map(([name, flag]) => {
    const label = `${flag.short === undefined ? '' : `-${flag.short}, `}--${name}${flag.value === undefined ? '' : ` ${flag.value}`}`;
    return `  ${label.padEnd(26)}${flag.help}`;
  });
  return `usage: earmark ${command.usage}\n\n${command.summary}\n\n${rows.join('\n')}\n`;
}
