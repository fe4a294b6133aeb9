export type { Backend, BackendChoice } from './backend.js';
export * from './mono.js';
export { DspOptionError } from './option-error.js';
export { PeakList } from './peak-list.js';
export { Resampler } from './resampler.js';
export * from './spectral-peaks.js';
export * from './window.js';
