export * from './engine.js';
export * from './examine.js';
export * from './fingerprint-file.js';
export { IndexReadOnlyError, IndexStalledError, type IndexAccess } from './index-keeper.js';
export { clipLimitMs, fingerprintConfigId, Listener, mediaLimitMs } from './listener.js';
export * from './metadata-file.js';
export * from './open-engine.js';
export * from './settings.js';
export { WorkerDiedError, WorkerTaskError } from './worker-pool.js';
