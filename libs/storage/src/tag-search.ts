import type { CatalogId, TenantId, TrackId } from '@earmark/kernel';
import type { Facet } from '@earmark/tagging';
import type { Pool } from 'pg';
import type { ModelRef } from './model-version-store.js';
import { allOf, sql, type SqlStatement } from './sql.js';
import { floatsOf } from './tag-store.js';

/** A tag with the least score at which it counts. */
export type TagCondition = Readonly<{ facet: Facet; tag: string; minScore?: number }>;

/** Which tracks are wanted; what people said of a tag overrules the model. */
export type TagQuery = Readonly<{
  /** Absent or empty: all catalogs. */
  catalogIds?: readonly CatalogId[];
  /** Tags that a track must have. */
  all?: readonly TagCondition[];
  /** Tags of which it must have one. */
  any?: readonly TagCondition[];
  /** Tags that it must not have. */
  none?: readonly TagCondition[];
  energy?: NumberRange;
  brightnessHz?: NumberRange;
  onsetRateHz?: NumberRange;
}>;

/** Bounds of a number, both inclusive. */
export type NumberRange = Readonly<{ min?: number; max?: number }>;

/** A track that fits, and where the wanted tags hold. */
export type TagHit = Readonly<{
  trackId: TrackId;
  /** Mean score of the wanted tags, 0..1; 1 if none was wanted. */
  score: number;
  highlights: readonly Readonly<{ facet: Facet; tag: string; startMs: number; endMs: number }>[];
}>;

/** How many of the found tracks have a tag. */
export type FacetCount = Readonly<{ facet: Facet; tag: string; tracks: number }>;

/** Finds tracks by their tags in PostgreSQL. */
export class PgTagSearch {
  private readonly pool: Pool;

  constructor(pool: Pool) {
    this.pool = pool;
  }

  /**
   * Finds tracks, the best first.
   *
   * @param model whose tags count
   * @param page `offset` tracks are passed over
   */
  async search(
    tenantId: TenantId,
    model: ModelRef,
    query: TagQuery,
    page: Readonly<{ limit: number; offset?: number }>,
  ): Promise<readonly TagHit[]> {
    const wanted = JSON.stringify([...(query.all ?? []), ...(query.any ?? [])]);
    const { rows } = await this.pool.query<TagHit>(sql`
      SELECT g.track_id AS "trackId",
             coalesce((SELECT avg(e.score)
                         FROM effective_tag e
                         JOIN jsonb_to_recordset(${wanted}::jsonb) AS w (facet text, tag text) USING (facet, tag)
                        WHERE ${ofTagging('e')}), 1) AS score,
             coalesce((SELECT jsonb_agg(jsonb_build_object('facet', s.facet, 'tag', s.tag, 'startMs', s.start_ms,
                                                           'endMs', s.end_ms) ORDER BY s.start_ms, s.facet, s.tag)
                         FROM segment_tag s
                         JOIN jsonb_to_recordset(${wanted}::jsonb) AS w (facet text, tag text) USING (facet, tag)
                        WHERE ${ofTagging('s')}
                          AND NOT EXISTS (
                                SELECT FROM tag_verdict v
                                 WHERE v.tenant_id = s.tenant_id AND v.track_id = s.track_id AND v.facet = s.facet
                                   AND v.tag = s.tag AND v.verdict = 'rejected')), '[]') AS highlights
        FROM track_tagging g
       WHERE ${matching(tenantId, model, query)}
       ORDER BY score DESC, g.track_id
       LIMIT ${page.limit} OFFSET ${page.offset ?? 0}`);
    return rows;
  }

  /** Counts the tags of all tracks that fit, the most frequent first. */
  async facetCounts(tenantId: TenantId, model: ModelRef, query: TagQuery): Promise<readonly FacetCount[]> {
    const { rows } = await this.pool.query<FacetCount>(sql`
      SELECT e.facet, e.tag, count(*) AS tracks
        FROM track_tagging g
        JOIN effective_tag e ON ${ofTagging('e')}
       WHERE ${matching(tenantId, model, query)}
       GROUP BY e.facet, e.tag
       ORDER BY tracks DESC, e.facet, e.tag`);
    return rows;
  }

  /** Mean embeddings of a model in the order of track ids, to fill an index of neighbours. */
  async embeddings(
    tenantId: TenantId,
    model: ModelRef,
    page: Readonly<{ limit: number; after?: TrackId }>,
  ): Promise<readonly Readonly<{ trackId: TrackId; embedding: Float32Array }>[]> {
    const { rows } = await this.pool.query<{ trackId: TrackId; embedding: Buffer }>(sql`
      SELECT track_id AS "trackId", embedding
        FROM track_tagging
       WHERE tenant_id = ${tenantId} AND model_id = ${model.id} AND model_version = ${model.version}
         AND track_id > ${page.after ?? ''}
       ORDER BY track_id
       LIMIT ${page.limit}`);
    return rows.map(({ trackId, embedding }) => ({ trackId, embedding: floatsOf(embedding) }));
  }
}

function ofTagging(alias: 'e' | 's'): SqlStatement {
  const key = {
    e: sql`(e.tenant_id, e.catalog_id, e.track_id, e.model_id, e.model_version)`,
    s: sql`(s.tenant_id, s.catalog_id, s.track_id, s.model_id, s.model_version)`,
  }[alias];
  return sql`${key} = (g.tenant_id, g.catalog_id, g.track_id, g.model_id, g.model_version)`;
}

function matching(tenantId: TenantId, model: ModelRef, query: TagQuery): SqlStatement {
  const conditions = [
    sql`g.tenant_id = ${tenantId} AND g.model_id = ${model.id} AND g.model_version = ${model.version}`,
  ];
  if (query.catalogIds !== undefined && query.catalogIds.length > 0)
    conditions.push(sql`g.catalog_id = ANY(${query.catalogIds})`);
  for (const condition of query.all ?? []) conditions.push(has(condition));
  for (const condition of query.none ?? []) conditions.push(sql`NOT ${has(condition)}`);
  const [first, ...rest] = (query.any ?? []).map(has);
  if (first !== undefined)
    conditions.push(sql`(${rest.reduce((left, right) => sql`${left} OR ${right}`, first)})`);
  const bounds = [
    [sql`g.energy`, query.energy],
    [sql`g.brightness_hz`, query.brightnessHz],
    [sql`g.onset_rate_hz`, query.onsetRateHz],
  ] as const;
  for (const [column, range] of bounds) {
    if (range?.min !== undefined) conditions.push(sql`${column} >= ${range.min}`);
    if (range?.max !== undefined) conditions.push(sql`${column} <= ${range.max}`);
  }
  return allOf(conditions);
}

function has({ facet, tag, minScore = 0 }: TagCondition): SqlStatement {
  return sql`EXISTS (
    SELECT FROM effective_tag e
     WHERE ${ofTagging('e')} AND e.facet = ${facet} AND e.tag = ${tag} AND e.score >= ${minScore})`;
}
