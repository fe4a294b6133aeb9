export type * from './port.js';
export * from './errors.js';
export {
  EmbeddedIndex,
  indexConfigId,
  openEmbeddedIndex,
  type EmbeddedIndexOptions,
} from './embedded/embedded-index.js';
export type { MergePolicy } from './embedded/merge-policy.js';
export * from './elasticsearch/index.js';
export { ElasticsearchHeads, type ElasticsearchHeadsOptions } from './heads/elasticsearch-heads.js';
