export { readBorder, type Border } from './border.js';
export * from './mix-plan.js';
export * from './rank.js';
export * from './scale-transform.js';
export * from './transition-model.js';
export * from './window-features.js';
