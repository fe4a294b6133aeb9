import { DomainError } from '@earmark/kernel';
import { run } from './run.js';

// A reader that has seen enough, such as `head`, is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof DomainError)) throw error;
  process.stderr.write(`earmark: ${error.message} [${error.code}]\n`);
  process.exitCode = 1;
}
