import { engineSettingsFrom, openEngine } from '@earmark/engine';
import { errorCode } from '@earmark/kernel';
import { apiSettingsFrom, createLogger } from '@earmark/platform';
import { resolve } from 'node:path';
import { runWorker } from './run-worker.js';

const { logLevel } = apiSettingsFrom(process.env);
const logger = createLogger(logLevel);
const dataDir = resolve(process.env['EARMARK_DATA_DIR'] ?? '.earmark');
const abort = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => abort.abort());

try {
  const engine = await openEngine({ ...engineSettingsFrom(process.env), dataDir, access: 'share' });
  try {
    await runWorker({ engine, dataDir, logger }, abort.signal);
  } finally {
    await engine.close();
  }
} catch (error) {
  logger.error({ code: errorCode(error), err: error }, 'worker ended');
  process.exitCode = 1;
}
