export * from './advisory-lock.js';
export { PgApiKeyStore, type ApiKey } from './api-key-store.js';
export { newId, PgCatalogStore } from './catalog-store.js';
export * from './database.js';
export * from './errors.js';
export * from './idempotency-store.js';
export * from './job-queue.js';
export { migrate, migrationsFolder, readMigrations, type Migration } from './migrate.js';
export {
  PgModelVersionStore,
  type ModelRef,
  type NewModelVersion,
  type UsedModel,
} from './model-version-store.js';
export { PgOutbox } from './outbox.js';
export { PgScanStore } from './scan-store.js';
export { allOf, sql, type SqlStatement } from './sql.js';
export {
  numberFields,
  type Comparison,
  type NumberField,
  type TagFilter,
  type TagWeight,
} from './tag-filter.js';
export {
  PgTagSearch,
  type FacetCount,
  type FoundTrack,
  type RankedTrack,
  type TagPlace,
  type TagQuery,
} from './tag-search.js';
export {
  PgTagStore,
  type Hearing,
  type NewTagging,
  type RetagChange,
  type StoredTagging,
} from './tag-store.js';
export { PgTrackAudioStore, type TrackAudioPlace } from './track-audio-store.js';
export { matchesOfTrack, type TrackMatch } from './track-matches.js';
export { PgTrackPeaksStore } from './track-peaks-store.js';
export { PgTrackStore } from './track-store.js';
export { PgFeedbackStore } from './feedback-store.js';
export { PgTransitionStore, type TrackFacts } from './transition-store.js';
export * from './upload-store.js';
export * from './upload-files.js';
