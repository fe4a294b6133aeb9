export * from './api-settings.js';
export * from './job-runner.js';
export * from './listening-jobs.js';
export * from './logger.js';
export * from './metrics.js';
export * from './problem.js';
export * from './rate-limit.js';
