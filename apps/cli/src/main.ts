import { DomainError } from '@earmark/kernel';
import { run } from './run.js';

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof DomainError)) throw error;
  process.stderr.write(`earmark: ${error.message} [${error.code}]\n`);
  process.exitCode = 1;
}
