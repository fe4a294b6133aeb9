export * from './listening-service.js';
export * from './match.js';
export * from './scan.js';
