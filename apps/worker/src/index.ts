export * from './run-worker.js';
export type { PreviewJobPayload } from './transition-jobs.js';
export * from './tagging-jobs.js';
