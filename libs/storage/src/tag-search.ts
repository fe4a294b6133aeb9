import type { TenantId, TrackId } from '@earmark/kernel';
import type { Facet, TagResult } from '@earmark/tagging';
import type { Pool } from 'pg';
import type { ModelRef } from './model-version-store.js';
import { sql, type SqlStatement } from './sql.js';
import { conditionOf, sameTagging, type TagFilter, type TagWeight, wantedTags } from './tag-filter.js';
import { floatsOf } from './tag-store.js';

/** Which tracks are wanted, and in what order. */
export type TagQuery = Readonly<{
  /** Absent: all that are tagged. */
  filter?: TagFilter;
  /** Weights of tags in the order; absent: the tags that the filter asks for count alike. */
  weights?: readonly TagWeight[];
}>;

/** A track and how well it fits: mean score of the tags that count, 0..1 (below 0 with negative weights); 1 without any. */
export type RankedTrack = Readonly<{ trackId: TrackId; score: number }>;

/** Where a wanted tag holds. */
export type TagPlace = Readonly<{ facet: Facet; tag: string; startMs: number; endMs: number }>;

/** What a list shows of a found track. */
export type FoundTrack = Readonly<{
  trackId: TrackId;
  title: string | null;
  artists: readonly string[];
  durationMs: number;
  model: ModelRef;
  sentence: TagResult['sentence'];
  places: readonly TagPlace[];
}>;

/** How many of the found tracks have a tag. */
export type FacetCount = Readonly<{ facet: Facet; tag: string; tracks: number }>;

/** Finds tracks by their tags in PostgreSQL. For each track the active model speaks, else the last that heard it. */
export class PgTagSearch {
  private readonly pool: Pool;

  constructor(pool: Pool) {
    this.pool = pool;
  }

  /**
   * Finds tracks, the best first.
   *
   * @param active model whose tags count where it has heard the track
   * @param page absent: all; `after` is the last track of the page before
   */
  async rank(
    tenantId: TenantId,
    active: ModelRef | undefined,
    query: TagQuery,
    page?: Readonly<{ limit: number; after?: RankedTrack }>,
  ): Promise<readonly RankedTrack[]> {
    const after =
      page?.after === undefined
        ? sql`TRUE`
        : sql`(score < ${page.after.score} OR (score = ${page.after.score} AND track_id > ${page.after.trackId}))`;
    const { rows } = await this.pool.query<RankedTrack>(sql`
      SELECT track_id AS "trackId", score
        FROM (SELECT g.track_id, ${scoreOf(query)} AS score
                FROM ${spoken(tenantId, active)}
               WHERE ${wanted(query)}) AS found
       WHERE ${after}
       ORDER BY score DESC, track_id
       LIMIT ${page?.limit ?? null}`);
    return rows;
  }

  /** Describes found tracks, in any order; those that are gone are left out. */
  async describe(
    tenantId: TenantId,
    active: ModelRef | undefined,
    query: TagQuery,
    trackIds: readonly TrackId[],
  ): Promise<readonly FoundTrack[]> {
    const tags = JSON.stringify(countedTags(query));
    const { rows } = await this.pool.query<FoundTrack>(sql`
      SELECT g.track_id AS "trackId", t.title, t.artists, g.duration_ms AS "durationMs", g.sentence,
             jsonb_build_object('id', g.model_id, 'version', g.model_version) AS model,
             coalesce((SELECT jsonb_agg(jsonb_build_object('facet', e.facet, 'tag', e.tag, 'startMs', e.start_ms,
                                                           'endMs', e.end_ms) ORDER BY e.start_ms, e.facet, e.tag)
                         FROM segment_tag e
                         JOIN jsonb_to_recordset(${tags}::jsonb) AS w (facet text, tag text) USING (facet, tag)
                        WHERE ${sameTagging}
                          AND NOT EXISTS (
                                SELECT FROM tag_verdict v
                                 WHERE v.tenant_id = e.tenant_id AND v.track_id = e.track_id AND v.facet = e.facet
                                   AND v.tag = e.tag AND v.verdict = 'rejected')), '[]') AS places
        FROM ${spoken(tenantId, active)}
       WHERE g.track_id = ANY(${trackIds})`);
    return rows;
  }

  /** Counts the tags of all tracks that fit, by facet, the most frequent first. */
  async facetCounts(
    tenantId: TenantId,
    active: ModelRef | undefined,
    query: TagQuery,
    facets: readonly Facet[],
  ): Promise<readonly FacetCount[]> {
    const { rows } = await this.pool.query<FacetCount>(sql`
      SELECT e.facet, e.tag, count(*) AS tracks
        FROM ${spoken(tenantId, active)}
        JOIN effective_tag e ON ${sameTagging}
       WHERE ${wanted(query)} AND e.facet = ANY(${facets})
       GROUP BY e.facet, e.tag
       ORDER BY e.facet, tracks DESC, e.tag`);
    return rows;
  }

  /** Tracks that a model has heard, and the time of the latest tagging in microseconds: changes with every change. */
  async stamp(tenantId: TenantId, model: ModelRef): Promise<Readonly<{ tracks: number; latestUs: number }>> {
    const { rows } = await this.pool.query<{ tracks: number; latestUs: number }>(sql`
      SELECT count(*) AS tracks, coalesce(extract(epoch FROM max(created_at)) * 1000000, 0)::bigint AS "latestUs"
        FROM track_tagging
       WHERE tenant_id = ${tenantId} AND model_id = ${model.id} AND model_version = ${model.version}`);
    return rows[0] ?? { tracks: 0, latestUs: 0 };
  }

  /** Mean embeddings of a model in the order of track ids, to look for neighbours. */
  async embeddings(
    tenantId: TenantId,
    model: ModelRef,
    page: Readonly<{ limit: number; after?: TrackId; sinceUs?: number }>,
  ): Promise<readonly Readonly<{ trackId: TrackId; embedding: Float32Array }>[]> {
    const { rows } = await this.pool.query<{ trackId: TrackId; embedding: Buffer }>(sql`
      SELECT track_id AS "trackId", embedding
        FROM track_tagging
       WHERE tenant_id = ${tenantId} AND model_id = ${model.id} AND model_version = ${model.version}
         AND track_id > ${page.after ?? ''}
         AND created_at >= to_timestamp(${page.sinceUs ?? 0}::double precision / 1000000)
       ORDER BY track_id
       LIMIT ${page.limit}`);
    return rows.map(({ trackId, embedding }) => ({ trackId, embedding: floatsOf(embedding) }));
  }
}

/** One tagging `g` for each track `t` of a tenant: that of the model that speaks for it. */
function spoken(tenantId: TenantId, active: ModelRef | undefined): SqlStatement {
  const isActive = (alias: SqlStatement): SqlStatement =>
    sql`(${alias}.model_id, ${alias}.model_version) = (${active?.id ?? ''}, ${active?.version ?? ''})`;
  return sql`(
    SELECT DISTINCT ON (g.track_id) g.*
      FROM track_tagging g
     WHERE g.tenant_id = ${tenantId}
     ORDER BY g.track_id, ${isActive(sql`g`)} DESC, g.created_at DESC, g.model_id DESC, g.model_version DESC) AS g
    JOIN track t ON (t.tenant_id, t.catalog_id, t.id) = (g.tenant_id, g.catalog_id, g.track_id)`;
}

function wanted({ filter }: TagQuery): SqlStatement {
  return filter === undefined ? sql`TRUE` : conditionOf(filter);
}

function countedTags({ filter, weights }: TagQuery): readonly Readonly<{ facet: Facet; tag: string }>[] {
  return [
    ...(weights ?? []).filter(({ weight }) => weight > 0),
    ...(filter === undefined ? [] : wantedTags(filter)),
  ].map(({ facet, tag }) => ({ facet, tag }));
}

function scoreOf({ filter, weights }: TagQuery): SqlStatement {
  if (weights !== undefined && weights.length > 0) {
    const total = weights.reduce((sum, { weight }) => sum + Math.abs(weight), 0);
    return sql`coalesce((
      SELECT sum(w.weight * e.score) / ${total}::double precision
        FROM effective_tag e
        JOIN jsonb_to_recordset(${JSON.stringify(weights)}::jsonb) AS w (facet text, tag text, weight double precision)
             USING (facet, tag)
       WHERE ${sameTagging}), 0)`;
  }
  const tags = filter === undefined ? [] : wantedTags(filter);
  if (tags.length === 0) return sql`1::double precision`;
  return sql`coalesce((
    SELECT avg(e.score)
      FROM effective_tag e
     WHERE ${sameTagging}
       AND (e.facet, e.tag) IN (
             SELECT facet, tag FROM jsonb_to_recordset(${JSON.stringify(tags)}::jsonb) AS w (facet text, tag text))), 0)`;
}
