import type { Client, estypes } from '@elastic/elasticsearch';
import type { TrackId } from '@earmark/kernel';
import type { IndexQuery } from '../port.js';
import type { ChunkPlace } from './chunk-alignment.js';
import { distinctKeys, termsOf } from './chunk-terms.js';
import { prompt } from './connection.js';
import { indexError } from './errors.js';
import { rarestKeys } from './hash-rarity.js';
import { placeOfId } from './index-names.js';

/** How much of the index a query touches. */
export type SearchDepth = Readonly<{
  /** Keys of the first, coarse question: the rarest ones. It decides when a chunk stands out. */
  coarseKeys: number;
  /** Most keys of the second question; a node refuses more clauses than its memory allows (16,384 at 1 GB of heap). */
  mostKeys: number;
  /** Chunks looked into for each candidate that is asked for. */
  chunksPerCandidate: number;
}>;

export const defaultDepth: SearchDepth = { coarseKeys: 512, mostKeys: 8192, chunksPerCandidate: 8 };

type Hit = Readonly<{ place: ChunkPlace; shared: number }>;

/** Finds the chunks that share most hashes with a query. */
export class ChunkSearch {
  private readonly client: Client;
  private readonly index: string;
  private readonly depth: SearchDepth;

  constructor(client: Client, index: string, depth: SearchDepth) {
    this.client = client;
    this.index = index;
    this.depth = depth;
  }

  /**
   * Asks for the rarest keys first; chunks that share clearly more of them than all others are the answer. Else all
   * keys are asked for, up to the limit.
   *
   * @param k candidates wanted
   * @returns chunks, most shared keys first
   */
  async find(query: IndexQuery, k: number): Promise<readonly ChunkPlace[]> {
    const keys = distinctKeys(query.landmarks.hashes);
    const { coarseKeys, mostKeys, chunksPerCandidate } = this.depth;
    const size = k * chunksPerCandidate;
    if (keys.length > coarseKeys) {
      const outstanding = standingOut(await this.ask(query, rarestKeys(keys, coarseKeys), size), size, k);
      if (outstanding) return outstanding.map(({ place }) => place);
    }
    const hits = await this.ask(query, rarestKeys(keys, mostKeys), size);
    return (standingOut(hits, size, k) ?? hits).map(({ place }) => place);
  }

  private async ask(
    { tenantId, catalogIds }: IndexQuery,
    keys: Uint32Array,
    size: number,
  ): Promise<readonly Hit[]> {
    const scope: estypes.QueryDslQueryContainer[] = [{ term: { tenant: tenantId } }];
    if (catalogIds !== undefined) scope.push({ terms: { catalog: [...catalogIds] } });
    try {
      const answer = await this.client.search(
        {
          index: this.index,
          size,
          _source: false,
          // Exact counting lets a node score block by block; the filter runs on what is collected.
          track_total_hits: true,
          allow_partial_search_results: false,
          query: { match: { hashes: { query: termsOf(keys) } } },
          post_filter: { bool: { filter: scope } },
          filter_path: ['hits.hits._id', 'hits.hits._score'],
        },
        prompt,
      );
      return (answer.hits?.hits ?? []).map(({ _id, _score }) => ({
        place: chunkPlace(_id ?? ''),
        shared: _score ?? 0,
      }));
    } catch (error) {
      throw indexError(error);
    }
  }
}

function chunkPlace(id: string): ChunkPlace {
  const { trackId, chunk } = placeOfId(id);
  // Ids were checked on their way in.
  return { trackId: trackId as TrackId, chunk };
}

/** Deviations by which the best chunk is above the crowd when it stands out. */
const clearDeviations = 8;
/** Share of the best chunk's lead that a chunk needs to be looked into too. */
const leadShare = 0.15;

/**
 * Chunks that share so many keys that chance cannot explain it: the crowd is taken from the last of the list, and
 * counts scatter by their square root.
 *
 * @returns undefined when nothing stands out
 */
function standingOut(hits: readonly Hit[], size: number, k: number): readonly Hit[] | undefined {
  if (hits.length === 0) return undefined;
  const crowd = hits.length < size ? 1 : hits[hits.length - 1].shared;
  const lead = hits[0].shared - crowd;
  if (lead < clearDeviations * Math.sqrt(crowd + 1)) return undefined;
  const least = crowd + leadShare * lead;
  return hits.filter(({ shared }, i) => i < k || shared >= least);
}
