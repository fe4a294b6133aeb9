import { serve } from '@earmark/api';
import { openEngine } from '@earmark/engine';
import { apiSettingsFrom, createLogger } from '@earmark/platform';
import { once } from 'node:events';
import type { Command } from '../command.js';
import { readSettings } from '../settings.js';

/** `earmark serve`: the REST API with a worker in the same process. */
export const serveCommand: Command = {
  name: 'serve',
  usage: 'serve [--host HOST] [--port PORT]',
  summary: 'Serves the REST API and carries out its jobs; listens on loopback unless told otherwise.',
  flags: {
    host: { type: 'string', value: 'HOST', help: 'address to listen on (default 127.0.0.1)' },
    port: { type: 'string', value: 'PORT', help: 'port to listen on, 0 for a free one (default 8420)' },
  },
  async run(args, output) {
    const engineSettings = readSettings(args);
    const host = args.text('host');
    const port = args.text('port');
    const settings = apiSettingsFrom({
      ...process.env,
      EARMARK_DATA_DIR: engineSettings.dataDir,
      ...(host === undefined ? {} : { EARMARK_HOST: host }),
      ...(port === undefined ? {} : { EARMARK_PORT: port }),
    });
    const stopped = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
    const engine = await openEngine({ ...engineSettings, access: 'share' });
    try {
      const logger = createLogger(settings.logLevel);
      const server = await serve({ engine, settings, logger, withWorker: true });
      output.result(
        { url: server.url, ...(server.firstKey === undefined ? {} : { key: server.firstKey }) },
        () =>
          [
            `Earmark listens on ${server.url} (documentation: ${server.url}/docs)`,
            ...(server.firstKey === undefined ? [] : [`API key, shown only this once: ${server.firstKey}`]),
          ].join('\n'),
      );
      await stopped;
      await server.close();
    } finally {
      await engine.close();
    }
    return 0;
  },
};
