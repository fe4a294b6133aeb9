export * from './scale-transform.js';
export * from './window-features.js';
