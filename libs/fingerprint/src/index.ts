export * from './config.js';
export * from './peaks.js';
export * from './peak-codec.js';
export { PeakExtractor } from './peak-extractor.js';
export type * from './landmarks.js';
export type { FrameRange } from './landmark-shapes.js';
export { chunkFrames, chunkRanges, indexDensity, indexLandmarks } from './index-landmarks.js';
export { queryLandmarks, type QueryDepth } from './query-landmarks.js';
export { VoteTable, changeLimits, type Proposal } from './vote-table.js';
