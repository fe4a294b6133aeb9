export { ElasticsearchCluster, type ElasticsearchOptions, type IndexBuild } from './elasticsearch-cluster.js';
export { ElasticsearchIndex, type ElasticsearchIndexParts } from './elasticsearch-index.js';
export { alignChunks, type ChunkPlace, type ChunkSource, type FoundChunk } from './chunk-alignment.js';
export { defaultDepth, type SearchDepth } from './chunk-search.js';
export { defaultRetry, type ElasticsearchConnection, type RetryPolicy } from './connection.js';
export {
  IndexForbiddenError,
  IndexFullError,
  IndexGoneError,
  IndexRefusedError,
  IndexUnavailableError,
} from './errors.js';
