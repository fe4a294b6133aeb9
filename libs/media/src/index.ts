export type * from './decoder.js';
