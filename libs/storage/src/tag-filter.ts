import type { CatalogId } from '@earmark/kernel';
import type { Facet } from '@earmark/tagging';
import { allOf, sql, type SqlStatement } from './sql.js';

/** Numbers of a tagging that can be compared. */
export const numberFields = ['durationMs', 'energy', 'brightnessHz', 'onsetRateHz'] as const;
/** One of {@link numberFields}. */
export type NumberField = (typeof numberFields)[number];

/** A bound: greater, at least, less, at most. */
export type Comparison = 'gt' | 'gte' | 'lt' | 'lte';

/** Which tracks are wanted, as a tree. What people said of a tag overrules the model. */
export type TagFilter =
  | Readonly<{ op: 'and' | 'or'; filters: readonly TagFilter[] }>
  | Readonly<{ op: 'not'; filter: TagFilter }>
  /** Has one of the tags. */
  | Readonly<{ op: 'tag'; facet: Facet; tags: readonly string[]; minScore?: number }>
  /** The score of a tag; a tag that is not said counts as 0. */
  | Readonly<{ op: 'score'; facet: Facet; tag: string; is: Comparison; value: number }>
  | Readonly<{ op: 'number'; field: NumberField; is: Comparison; value: number }>
  | Readonly<{ op: 'catalog'; ids: readonly CatalogId[] }>
  /** Title, artist or ISRC contains the text; without case. */
  | Readonly<{ op: 'text'; contains: string }>
  | Readonly<{ op: 'artist'; names: readonly string[] }>;

/** A tag with its weight in the order of the hits. */
export type TagWeight = Readonly<{ facet: Facet; tag: string; weight: number }>;

/** Tags that a filter asks for, those under a `not` left out. */
export function wantedTags(filter: TagFilter): readonly Readonly<{ facet: Facet; tag: string }>[] {
  switch (filter.op) {
    case 'and':
    case 'or':
      return filter.filters.flatMap(wantedTags);
    case 'tag':
      return filter.tags.map((tag) => ({ facet: filter.facet, tag }));
    case 'score':
      return filter.is.startsWith('g') ? [{ facet: filter.facet, tag: filter.tag }] : [];
    case 'not':
    case 'number':
    case 'catalog':
    case 'text':
    case 'artist':
      return [];
  }
}

/** Condition on a tagging `g` of a track `t`. */
export function conditionOf(filter: TagFilter): SqlStatement {
  switch (filter.op) {
    case 'and':
      return sql`(${allOf(filter.filters.map(conditionOf))})`;
    case 'or': {
      const [first = sql`FALSE`, ...rest] = filter.filters.map(conditionOf);
      return sql`(${rest.reduce((left, right) => sql`${left} OR ${right}`, first)})`;
    }
    case 'not':
      return sql`NOT coalesce(${conditionOf(filter.filter)}, FALSE)`;
    case 'tag':
      return sql`EXISTS (
        SELECT FROM effective_tag e
         WHERE ${sameTagging} AND e.facet = ${filter.facet} AND e.tag = ANY(${filter.tags})
           AND e.score >= ${filter.minScore ?? 0})`;
    case 'score':
      return sql`coalesce((
        SELECT max(e.score) FROM effective_tag e
         WHERE ${sameTagging} AND e.facet = ${filter.facet} AND e.tag = ${filter.tag}), 0)
        ${comparisons[filter.is]} ${filter.value}`;
    case 'number':
      return sql`${columns[filter.field]} ${comparisons[filter.is]} ${filter.value}`;
    case 'catalog':
      return sql`g.catalog_id = ANY(${filter.ids})`;
    case 'artist':
      return sql`EXISTS (
        SELECT FROM unnest(t.artists) AS artist WHERE lower(artist) = ANY(${filter.names.map((name) => name.toLowerCase())}))`;
    case 'text': {
      const pattern = `%${filter.contains.replace(/[\\%_]/g, '\\$&')}%`;
      return sql`(t.title ILIKE ${pattern} OR t.isrc ILIKE ${pattern}
        OR EXISTS (SELECT FROM unnest(t.artists) AS artist WHERE artist ILIKE ${pattern}))`;
    }
  }
}

/** The effective tags `e` of tagging `g`. */
export const sameTagging: SqlStatement = sql`
  (e.tenant_id, e.catalog_id, e.track_id, e.model_id, e.model_version)
  = (g.tenant_id, g.catalog_id, g.track_id, g.model_id, g.model_version)`;

const comparisons: Readonly<Record<Comparison, SqlStatement>> = {
  gt: sql`>`,
  gte: sql`>=`,
  lt: sql`<`,
  lte: sql`<=`,
};

const columns: Readonly<Record<NumberField, SqlStatement>> = {
  durationMs: sql`g.duration_ms`,
  energy: sql`g.energy`,
  brightnessHz: sql`g.brightness_hz`,
  onsetRateHz: sql`g.onset_rate_hz`,
};
