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
import type { ElasticsearchSettings } from './elasticsearch-settings.js';
import { ElasticsearchKeeper } from './elasticsearch-keeper.js';
import { EmbeddedIndexKeeper, type IndexAccess, type IndexKeeper } from './index-keeper.js';
import { Listener } from './listener.js';
import { Recognition } from './recognition.js';
import { SearchThreads } from './search-threads.js';
import type { EngineSettings } from './settings.js';
import { SharedPeaks } from './shared-peaks.js';
import type { AnswerParts } from './transition/transition-answers.js';
import { TransitionThreads } from './transition/transition-threads.js';
import { Transitions } from './transition/transitions.js';
import { TaggingService } from './tagging-service.js';

/** How to open an engine. */
export type EngineOptions = EngineSettings & Readonly<{ access: IndexAccess }>;

/** Tenant of an installation's own command line. */
const localTenant = 'local';
/** Encoded peaks kept in memory: about 450 h of music. */
const peaksBytes = 200_000_000;
/** Fewest and most threads that search: one must be left for clips while a recording is scanned, and each takes memory. */
const searchThreads = { least: 2, most: 8 };
/** The same of threads that say what comes next: each may hold an index of entry points. */
const transitionThreads = { least: 2, most: 4 };

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
    const tenantId = await catalogs.ensureTenant(localTenant);
    const keeper = await openKeeper(options, tenantId, database, peaks);
    const registry = await ModelRegistry.open(options.modelFolders);
    const listener = new Listener(options);
    const shared = new SharedPeaks(peaks, peaksBytes);
    const threads = new SearchThreads(keeper.place, shared, threadsOf(concurrency, searchThreads));
    const headCluster = headClusterOf(options, tenantId);
    const transitions = new Transitions({
      database,
      listener,
      dataDir,
      analyzeOnIngest: options.analyzeOnIngest !== false,
      keepAudio: options.keepAudio !== false,
      ...headCluster,
    });
    const place = { dataDir, ...(databaseUrl !== undefined && { databaseUrl }), ...headCluster };
    return new Engine({
      transitions,
      transitionThreads: new TransitionThreads(
        { place, listener, changes: () => transitions.changes },
        threadsOf(concurrency, transitionThreads),
      ),
      tagging: new TaggingService({ database, listener, tracks, registry, audio: transitions.audio }),
      tagOnIngest: options.tagOnIngest !== false,
      database,
      catalogs,
      tracks,
      scans: new PgScanStore(database),
      keeper,
      peaks: shared,
      threads,
      recognition: new Recognition(threads, tracks),
      listener,
      tenantId,
      concurrency,
    });
  } catch (error) {
    await database.close();
    throw error;
  }
}

function threadsOf(concurrency: number, { least, most }: Readonly<{ least: number; most: number }>): number {
  return Math.min(most, Math.max(least, concurrency));
}

/** Opens the index that the settings name. In a cluster its name carries the id of this installation's own tenant. */
async function openKeeper(
  { elasticsearch, dataDir, access }: EngineOptions,
  tenantId: TenantId,
  { pool }: Database,
  peaks: TrackPeaksStore,
): Promise<IndexKeeper> {
  const outbox = new PgOutbox(pool);
  if (elasticsearch === undefined)
    return EmbeddedIndexKeeper.open(join(dataDir, 'index'), access, outbox, peaks);
  const installation = installationOf(elasticsearch, tenantId);
  const options = { ...elasticsearch, installation };
  return ElasticsearchKeeper.open({ options, access, outbox, peaks, lock: new PgWorkLock(pool) });
}

/** Where entry points are searched, if not in memory. */
function headClusterOf(
  { elasticsearch, headIndex }: EngineSettings,
  tenantId: TenantId,
): Pick<AnswerParts, 'headCluster'> {
  if (elasticsearch === undefined || headIndex !== 'elasticsearch') return {};
  const { connection, shards, replicas } = elasticsearch;
  const installation = installationOf(elasticsearch, tenantId);
  return { headCluster: { connection, shards, replicas, installation } };
}

/** Start of the names of an installation's indexes. */
function installationOf({ prefix }: ElasticsearchSettings, tenantId: TenantId): string {
  return `${prefix}-${tenantId.slice(tenantId.indexOf('_') + 1).toLowerCase()}`;
}
