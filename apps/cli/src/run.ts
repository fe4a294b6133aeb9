import { type Command, commandHelp, parseArguments, UsageError } from './command.js';
import { analyzeCommand } from './commands/analyze.js';
import { deleteCommand } from './commands/delete.js';
import { demoCommand } from './commands/demo.js';
import { doctorCommand } from './commands/doctor.js';
import { fingerprintCommand } from './commands/fingerprint.js';
import { identifyCommand, scanCommand } from './commands/identify.js';
import { ingestCommand } from './commands/ingest.js';
import { modelsCommand } from './commands/models.js';
import { retagCommand } from './commands/retag.js';
import { nextCommand } from './commands/next.js';
import { previewCommand } from './commands/preview.js';
import { serveCommand } from './commands/serve.js';
import { statsCommand } from './commands/stats.js';
import { tagCommand } from './commands/tag.js';
import { transitionCommand } from './commands/transition.js';
import { processOutput } from './output.js';

const commands: readonly Command[] = [
  ingestCommand,
  identifyCommand,
  scanCommand,
  tagCommand,
  retagCommand,
  modelsCommand,
  analyzeCommand,
  nextCommand,
  previewCommand,
  transitionCommand,
  fingerprintCommand,
  deleteCommand,
  statsCommand,
  doctorCommand,
  serveCommand,
  demoCommand,
];

/**
 * Runs one command line.
 *
 * @param words what follows `earmark`
 * @returns exit code: 0 done, 1 some inputs failed, 2 wrong usage
 * @throws {DomainError} if the command as a whole could not run
 */
export async function run(words: readonly string[]): Promise<number> {
  const [name, ...rest] = words;
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    process.stdout.write(overview());
    return name === undefined ? 2 : 0;
  }
  const command = commands.find((candidate) => candidate.name === name);
  if (command === undefined) {
    process.stderr.write(`earmark: there is no command "${name}"\n\n${overview()}`);
    return 2;
  }
  try {
    const args = parseArguments(command, rest);
    if (args.on('help')) {
      process.stdout.write(commandHelp(command));
      return 0;
    }
    return await command.run(args, processOutput(args.on('json')));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`earmark ${name}: ${error.message}\n\n${commandHelp(command)}`);
    return 2;
  }
}

function overview(): string {
  const rows = commands.map(({ name, summary }) => `  ${name.padEnd(14)}${summary}`);
  return `usage: earmark COMMAND [--data-dir DIR] [--json]\n\n${rows.join('\n')}\n\nearmark COMMAND --help tells more.\n`;
}
