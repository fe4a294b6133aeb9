import type { Catalog } from '@earmark/catalog';
import type { Engine } from '@earmark/engine';
import { DomainError, type CatalogId, type TenantId } from '@earmark/kernel';
import { ApiMetrics, RequestError, type ApiSettings, type Logger } from '@earmark/platform';
import {
  JobQueue,
  PgApiKeyStore,
  PgCatalogStore,
  PgIdempotencyStore,
  PgScanStore,
  PgTrackStore,
  PgUploadStore,
  UploadFiles,
  type Database,
} from '@earmark/storage';
import path from 'node:path';
import { JobEndings } from './jobs/job-endings.js';
import { KnownKeys } from './keys/known-keys.js';

/** What an API is made of. */
export type ApiOptions = Readonly<{
  database: Database;
  engine: Engine;
  settings: ApiSettings;
  logger: Logger;
}>;

/** Name of the catalog that is meant when none is named. */
export const defaultCatalogName = 'main';

/** Everything that the controllers work with. */
export class ApiContext {
  readonly engine: Engine;
  readonly settings: ApiSettings;
  readonly logger: Logger;
  readonly database: Database;
  readonly catalogs: PgCatalogStore;
  readonly tracks: PgTrackStore;
  readonly scans: PgScanStore;
  readonly queue: JobQueue;
  readonly uploads: PgUploadStore;
  readonly files: UploadFiles;
  readonly keys: PgApiKeyStore;
  readonly knownKeys: KnownKeys;
  readonly answers: PgIdempotencyStore;
  readonly endings: JobEndings;
  readonly metrics: ApiMetrics;

  constructor(options: ApiOptions) {
    const { database } = options;
    this.engine = options.engine;
    this.settings = options.settings;
    this.logger = options.logger;
    this.database = database;
    this.catalogs = new PgCatalogStore(database.pool);
    this.tracks = new PgTrackStore(database);
    this.scans = new PgScanStore(database);
    this.queue = new JobQueue(database);
    this.uploads = new PgUploadStore(database);
    this.files = new UploadFiles(path.join(options.settings.dataDir, 'uploads'));
    this.keys = new PgApiKeyStore(database.pool);
    this.knownKeys = new KnownKeys(this.keys);
    this.answers = new PgIdempotencyStore(database.pool);
    this.endings = new JobEndings(database, this.queue);
    this.metrics = new ApiMetrics(() => this.queue.depth());
  }

  /** Finds or makes the catalog to write to. */
  async catalogToWrite(tenantId: TenantId, name: string | undefined): Promise<Catalog> {
    return this.catalogs.ensureCatalog(tenantId, name ?? defaultCatalogName);
  }

  /**
   * Finds the catalogs to read.
   *
   * @param names names separated by commas; absent: an empty list, which means all
   * @throws {RequestError} `request.invalid` if one does not exist
   */
  async catalogsToRead(tenantId: TenantId, names: string | undefined): Promise<readonly CatalogId[]> {
    if (names === undefined || names.trim() === '') return [];
    const ids: CatalogId[] = [];
    for (const name of names.split(',')) {
      const catalog = await this.catalogs.findCatalog(tenantId, name.trim());
      if (!catalog) {
        const title = `there is no catalog "${name.trim()}"`;
        throw new RequestError('request.invalid', title, [
          { pointer: 'query/catalog', code: 'catalog.unknown-catalog', title },
        ]);
      }
      ids.push(catalog.id);
    }
    return ids;
  }
}

/** Wraps a failure that a job kept, so that waiting for the job gives the same answer as doing the work at once. */
export class JobFailedError extends DomainError {
  constructor(
    readonly code: string,
    title: string,
  ) {
    super(title);
  }
}
