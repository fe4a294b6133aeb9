import {
  openDatabase,
  PgCatalogStore,
  PgOutbox,
  PgScanStore,
  PgTrackPeaksStore,
  PgTrackStore,
} from '@earmark/storage';
import { join } from 'node:path';
import { ModelRegistry } from '@earmark/models';
import { Engine } from './engine.js';
import { type IndexAccess, IndexKeeper } from './index-keeper.js';
import { Listener } from './listener.js';
import { PeaksCache } from './peaks-cache.js';
import { Recognition } from './recognition.js';
import type { EngineSettings } from './settings.js';
import { Transitions } from './transition/transitions.js';
import { TaggingService } from './tagging-service.js';

/** How to open an engine. */
export type EngineOptions = EngineSettings & Readonly<{ access: IndexAccess }>;

/** Tenant of an installation's own command line. */
const localTenant = 'local';
/** Decoded peaks kept in memory: about 130 h of music. */
const peaksCacheBytes = 200_000_000;

/**
 * Opens everything: database (started or joined), index, worker threads. Close the engine to end it.
 *
 * @throws {StorageError} if the database cannot be opened
 * @throws {IndexLockedError} if access is `write` and another process writes
 */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const { dataDir, databaseUrl, access, concurrency } = options;
  const database = await openDatabase(databaseUrl === undefined ? { dataDir } : { dataDir, databaseUrl });
  try {
    const { pool } = database;
    const tracks = new PgTrackStore(database);
    const catalogs = new PgCatalogStore(pool);
    const peaks = new PgTrackPeaksStore(pool);
    const keeper = await IndexKeeper.open(join(dataDir, 'index'), access, new PgOutbox(pool), peaks);
    const cache = new PeaksCache(peaks, peaksCacheBytes);
    const registry = await ModelRegistry.open(options.modelFolders);
    const listener = new Listener(options);
    return new Engine({
      transitions: new Transitions({
        database,
        listener,
        dataDir,
        analyzeOnIngest: options.analyzeOnIngest !== false,
        keepAudio: options.keepAudio !== false,
      }),
      tagging: new TaggingService({ database, listener, tracks, registry }),
      tagOnIngest: options.tagOnIngest !== false,
      database,
      catalogs,
      tracks,
      scans: new PgScanStore(database),
      keeper,
      cache,
      recognition: new Recognition(keeper, cache, tracks),
      listener,
      tenantId: await catalogs.ensureTenant(localTenant),
      concurrency,
    });
  } catch (error) {
    await database.close();
    throw error;
  }
}
