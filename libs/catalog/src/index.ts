export * from './errors.js';
export * from './track-store.js';
export * from './track.js';
