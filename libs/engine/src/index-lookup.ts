import {
  type EmbeddedIndex,
  ElasticsearchCluster,
  type FingerprintIndex,
  IndexStateError,
  openEmbeddedIndex,
} from '@earmark/fingerprint-index';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PeaksCache } from './peaks-cache.js';
import type { IndexPlace } from './search-task.js';
import { StoredChunks } from './stored-chunks.js';

/** An index as a thread sees it that only looks things up. */
export type IndexLookup = Pick<FingerprintIndex, 'candidates'>;

/** While an index is made anew its folder is away for a moment. */
const pollMs = 20;
const openAttempts = 250;

/**
 * Opens an index for looking things up, beside the process or thread that writes it. What was written before a question
 * is found by it.
 *
 * @param pageBytes most bytes of index pages kept in memory
 * @param cache stored peaks, of which chunks are made again where the index does not keep positions
 */
export async function openIndexLookup(
  place: IndexPlace,
  pageBytes: number,
  cache: PeaksCache,
): Promise<IndexLookup> {
  if (place.kind === 'elasticsearch')
    return new ElasticsearchCluster({ ...place.options, chunks: new StoredChunks(cache) }).index;
  const index = await openReader(place.directory, place.configId, pageBytes);
  return {
    candidates: async (query, k) => {
      try {
        await index.refresh();
      } catch (error) {
        // Until the new index is there, the one that was opened goes on answering.
        if (!(error instanceof IndexStateError)) throw error;
      }
      return index.candidates(query, k);
    },
  };
}

async function openReader(directory: string, configId: string, cacheBytes: number): Promise<EmbeddedIndex> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await openEmbeddedIndex({ directory, configId, mode: 'read', cacheBytes });
    } catch (error) {
      if (!(error instanceof IndexStateError) || attempt === openAttempts) throw error;
      await sleep(pollMs);
    }
  }
}
