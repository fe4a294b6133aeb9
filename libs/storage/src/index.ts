export { newId, PgCatalogStore } from './catalog-store.js';
export * from './database.js';
export * from './errors.js';
export { migrate, migrationsFolder, readMigrations, type Migration } from './migrate.js';
export { PgOutbox } from './outbox.js';
export { PgScanStore } from './scan-store.js';
export { allOf, sql, type SqlStatement } from './sql.js';
export { PgTrackPeaksStore } from './track-peaks-store.js';
export { PgTrackStore } from './track-store.js';
