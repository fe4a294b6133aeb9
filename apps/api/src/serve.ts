import type { Engine } from '@earmark/engine';
import type { ApiSettings, Logger } from '@earmark/platform';
import { runWorker } from '@earmark/worker';
import { createApi } from './create-api.js';
import { scopes } from './http/principal.js';

/** How to serve. */
export type ServeOptions = Readonly<{
  engine: Engine;
  settings: ApiSettings;
  logger: Logger;
  /** Whether this process also carries out the jobs; otherwise worker processes must. */
  withWorker: boolean;
}>;

/** A server that runs. */
export type RunningServer = Readonly<{
  url: string;
  /** Secret of the first key, if this start made it: show it once. */
  firstKey?: string;
  /** Stops accepting, answers what runs, gives jobs back to the queue. The engine belongs to the caller. */
  close(): Promise<void>;
}>;

/** Starts the API and, if wanted, a worker for its jobs in the same process. Makes the first key if there is none. */
export async function serve(options: ServeOptions): Promise<RunningServer> {
  const { engine, settings, logger, withWorker } = options;
  const api = await createApi({ database: engine.database, engine, settings, logger });
  const made = await api.context.keys.createFirst({
    tenantId: engine.tenantId,
    name: 'first key',
    scopes: [...scopes],
  });
  const stop = new AbortController();
  const { dataDir } = settings;
  const worker = withWorker
    ? runWorker({ engine, dataDir, logger }, stop.signal).catch((err: unknown) =>
        logger.error({ err }, 'the worker stopped'),
      )
    : Promise.resolve();
  const url = await api.listen();
  logger.info({ url }, 'listening');
  engine.transitionThreads
    .warmUp()
    .catch((err: unknown) => logger.warn({ err }, 'the entry points of tracks could not be read ahead'));
  return {
    url,
    ...(made && { firstKey: made.secret }),
    async close() {
      stop.abort();
      await api.close();
      await worker;
    },
  };
}
