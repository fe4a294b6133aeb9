export type * from './decoder.js';
export * from './detect-media.js';
export * from './ffmpeg-decoder.js';
export * from './ffmpeg-locate.js';
export * from './hash-file.js';
export * from './listen.js';
export * from './media-error.js';
export * from './open-media-decoder.js';
export * from './wasm-decoder.js';
