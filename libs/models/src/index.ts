export * from './manifest.js';
export * from './model-error.js';
export * from './model-registry.js';
export * from './beat-session.js';
export { Tagger } from './tagger.js';
export { TaggingSession, type BatchOutputs } from './tagging-session.js';
