export type * from './landmarks.js';
