import {
  type Database,
  openDatabase,
  PgCatalogStore,
  PgOutbox,
  PgScanStore,
  PgTrackPeaksStore,
  PgTrackStore,
  PgModelVersionStore,
  PgTagStore,
} from '@earmark/storage';
import { join } from 'node:path';
import { ModelRegistry } from '@earmark/models';
import { Engine, type EngineParts } from './engine.js';
import { type IndexAccess, IndexKeeper } from './index-keeper.js';
import { Listener } from './listener.js';
import { PeaksCache } from './peaks-cache.js';
import { Recognition } from './recognition.js';
import type { EngineSettings } from './settings.js';

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
    const tagging =
      options.tagOnIngest === false || access === 'read' ? undefined : await openTagging(database);
    return new Engine({
      ...(tagging === undefined ? {} : { tagging }),
      database,
      catalogs,
      tracks,
      scans: new PgScanStore(database),
      keeper,
      cache,
      recognition: new Recognition(keeper, cache, tracks),
      listener: new Listener(options),
      tenantId: await catalogs.ensureTenant(localTenant),
      concurrency,
    });
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** Registers the bundled model, so that what it says can be stored. */
async function openTagging(database: Database): Promise<NonNullable<EngineParts['tagging']>> {
  const { id, version, folder, manifest } = (await ModelRegistry.open()).find();
  await new PgModelVersionStore(database.pool).register({ id, version, sha256: manifest.sha256, manifest });
  return { model: { id, version }, modelFolder: folder, store: new PgTagStore(database) };
}
