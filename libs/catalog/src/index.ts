export * from './delimited.js';
export * from './errors.js';
export * from './identifiers.js';
export * from './metadata-import.js';
export * from './metadata-rules.js';
export * from './track-store.js';
export * from './track.js';
