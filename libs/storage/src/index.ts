export * from './database.js';
export * from './errors.js';
export { migrate, migrationsFolder, readMigrations, type Migration } from './migrate.js';
export { allOf, sql, type SqlStatement } from './sql.js';
