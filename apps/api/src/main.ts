import { engineSettingsFrom, openEngine } from '@earmark/engine';
import { apiSettingsFrom, createLogger } from '@earmark/platform';
import { once } from 'node:events';
import { serve } from './serve.js';

/** The API as a process of its own; `earmark serve` does the same from the command line. */
async function main(): Promise<void> {
  const settings = apiSettingsFrom(process.env);
  const logger = createLogger(settings.logLevel);
  const { dataDir } = settings;
  const engineSettings = engineSettingsFrom(process.env);
  const engine = await openEngine({
    ...engineSettings,
    dataDir,
    access: settings.withWorker ? 'write' : 'share',
  });
  const server = await serve({ engine, settings, logger, withWorker: settings.withWorker });
  if (server.firstKey !== undefined) {
    process.stderr.write(`API key (shown this once): ${server.firstKey}\n`);
  }
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  await server.close();
  await engine.close();
}

await main();
