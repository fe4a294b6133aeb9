export * from './run-worker.js';
export * from './tagging-jobs.js';
