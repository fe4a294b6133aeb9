import type { TrackPeaksStore } from '@earmark/catalog';
import type { TenantId } from '@earmark/kernel';
import {
  type Database,
  openDatabase,
  PgCatalogStore,
  PgOutbox,
  PgScanStore,
  PgTrackPeaksStore,
  PgTrackStore,
  PgWorkLock,
} from '@earmark/storage';
import { join } from 'node:path';
import { ModelRegistry } from '@earmark/models';
import { Engine } from './engine.js';
import { ElasticsearchKeeper } from './elasticsearch-keeper.js';
import { EmbeddedIndexKeeper, type IndexAccess, type IndexKeeper } from './index-keeper.js';
import { Listener } from './listener.js';
import { PeaksCache } from './peaks-cache.js';
import { Recognition } from './recognition.js';
import type { EngineSettings } from './settings.js';
import { StoredChunks } from './stored-chunks.js';
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
 * @throws {IndexForbiddenError} if an Elasticsearch cluster refuses the credentials
 * @throws {IndexLockedError} if access is `write` and another process writes
 */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const { dataDir, databaseUrl, concurrency } = options;
  const database = await openDatabase(databaseUrl === undefined ? { dataDir } : { dataDir, databaseUrl });
  try {
    const { pool } = database;
    const tracks = new PgTrackStore(database);
    const catalogs = new PgCatalogStore(pool);
    const peaks = new PgTrackPeaksStore(pool);
    const cache = new PeaksCache(peaks, peaksCacheBytes);
    const tenantId = await catalogs.ensureTenant(localTenant);
    const keeper = await openKeeper(options, tenantId, database, peaks, cache);
    const registry = await ModelRegistry.open(options.modelFolders);
    const listener = new Listener(options);
    const transitions = new Transitions({
      database,
      listener,
      dataDir,
      analyzeOnIngest: options.analyzeOnIngest !== false,
      keepAudio: options.keepAudio !== false,
    });
    return new Engine({
      transitions,
      tagging: new TaggingService({ database, listener, tracks, registry, audio: transitions.audio }),
      tagOnIngest: options.tagOnIngest !== false,
      database,
      catalogs,
      tracks,
      scans: new PgScanStore(database),
      keeper,
      cache,
      recognition: new Recognition(keeper, cache, tracks),
      listener,
      tenantId,
      concurrency,
    });
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** Opens the index that the settings name. In a cluster its name carries the id of this installation's own tenant. */
async function openKeeper(
  { elasticsearch, dataDir, access }: EngineOptions,
  tenantId: TenantId,
  { pool }: Database,
  peaks: TrackPeaksStore,
  cache: PeaksCache,
): Promise<IndexKeeper> {
  const outbox = new PgOutbox(pool);
  if (elasticsearch === undefined)
    return EmbeddedIndexKeeper.open(join(dataDir, 'index'), access, outbox, peaks);
  const installation = `${elasticsearch.prefix}-${tenantId.slice(tenantId.indexOf('_') + 1).toLowerCase()}`;
  const options = { ...elasticsearch, installation, chunks: new StoredChunks(cache) };
  return ElasticsearchKeeper.open({ options, access, outbox, peaks, lock: new PgWorkLock(pool) });
}
