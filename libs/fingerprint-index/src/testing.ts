export { describeFingerprintIndex } from './contract.js';
export * from './seeded-tracks.js';
