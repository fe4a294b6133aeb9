import type { estypes } from '@elastic/elasticsearch';
import type { CatalogId, TenantId, TrackId } from '@earmark/kernel';
import { tempoOctaves, type HeadFilter, type HeadHit } from '@earmark/transition';

/** What a found document says. */
export type HeadSource = Readonly<{
  catalog: CatalogId;
  track: TrackId;
  tempoBpm?: number;
  atMs: number;
  ordinal: number;
}>;

type Query = estypes.QueryDslQueryContainer;

/** A filter as queries, all of which a head must meet; the cluster applies them while it walks the graph. */
export function headQueries(
  tenantId: TenantId,
  { catalogIds = [], tempoBpm, latestMs, without, only }: HeadFilter,
): Query[] {
  const queries: Query[] = [{ term: { tenant: tenantId } }];
  if (catalogIds.length > 0) queries.push({ terms: { catalog: [...catalogIds] } });
  if (latestMs !== undefined && latestMs < Infinity) queries.push({ range: { atMs: { lte: latestMs } } });
  if (only !== undefined) queries.push({ terms: { track: [...only] } });
  if (tempoBpm !== undefined) {
    const { min, max } = tempoBpm;
    const bands = tempoOctaves.map((octave): Query => ({
      range: { tempoBpm: { gte: min / octave, lte: max / octave } },
    }));
    queries.push({ bool: { should: bands, minimum_should_match: 1 } });
  }
  if (without !== undefined && without.size > 0)
    queries.push({ bool: { must_not: [{ terms: { track: [...without] } }] } });
  return queries;
}

/** A found head; `score` is what the cluster makes of the dot product. */
export function headHit({ track, catalog, tempoBpm, atMs, ordinal }: HeadSource, score: number): HeadHit {
  const product = score < 1 ? 1 - 1 / score : score - 1;
  return { trackId: track, catalogId: catalog, tempoBpm, atMs, ordinal, similarity: Math.min(1, product) };
}

/** The best head of each track, best first; equal ones in the order of track ids. @param k most tracks */
export function bestOfTracks(hits: readonly HeadHit[], k: number): readonly HeadHit[] {
  const best = new Map<TrackId, HeadHit>();
  for (const hit of hits) {
    const known = best.get(hit.trackId);
    if (known === undefined || hit.similarity > known.similarity) best.set(hit.trackId, hit);
  }
  return [...best.values()]
    .sort((a, b) => b.similarity - a.similarity || (a.trackId < b.trackId ? -1 : 1))
    .slice(0, k);
}
