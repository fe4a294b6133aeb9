import { type CatalogId, isId, type TrackId } from '@earmark/kernel';
import { type ProblemField, RequestError } from '@earmark/platform';
import { numberFields, type TagFilter, type TagWeight } from '@earmark/storage';
import {
  AmbiguousLabelError,
  type ConceptId,
  type Facet,
  facets,
  isFacet,
  ontologyV1,
  UnknownTagError,
} from '@earmark/tagging';
import { z } from 'zod';
import { maxPageLength } from '../http/paging.js';

/** Deepest nesting of a filter: the outermost node is 1. */
export const maxFilterDepth = 5;
/** Most nodes of a filter. */
export const maxFilterNodes = 100;
const maxValues = 50;
const maxLike = 20;

const text = z.string().trim().min(1).max(300);
const facet = z.enum(facets);
const setFields = [...facets, 'catalog', 'artist'] as const;
const comparisonValue = z.strictObject({
  field: text.meta({ description: `${numberFields.join(', ')}, or a tag such as mood/happy: its score` }),
  value: z.number(),
});

/** One node of a filter as it comes: exactly one key. */
export type FilterNode = Readonly<{
  and?: readonly FilterNode[] | undefined;
  or?: readonly FilterNode[] | undefined;
  not?: FilterNode | undefined;
  in?: Readonly<{
    field: (typeof setFields)[number];
    values: readonly string[];
    minScore?: number | undefined;
  }>;
  gt?: Readonly<{ field: string; value: number }> | undefined;
  gte?: Readonly<{ field: string; value: number }> | undefined;
  lt?: Readonly<{ field: string; value: number }> | undefined;
  lte?: Readonly<{ field: string; value: number }> | undefined;
}>;

const filterNode: z.ZodType<FilterNode> = z
  .strictObject({
    get and(): z.ZodOptional<z.ZodArray<z.ZodType<FilterNode>>> {
      return z.array(filterNode).min(1).max(maxFilterNodes).optional();
    },
    get or(): z.ZodOptional<z.ZodArray<z.ZodType<FilterNode>>> {
      return z.array(filterNode).min(1).max(maxFilterNodes).optional();
    },
    get not(): z.ZodOptional<z.ZodType<FilterNode>> {
      return filterNode.optional();
    },
    in: z
      .strictObject({
        field: z.enum(setFields),
        values: z.array(text).min(1).max(maxValues),
        minScore: z.number().min(0).max(1).optional(),
      })
      .optional(),
    gt: comparisonValue.optional(),
    gte: comparisonValue.optional(),
    lt: comparisonValue.optional(),
    lte: comparisonValue.optional(),
  })
  .meta({
    id: 'SearchFilter',
    description: `One of and, or, not, in, gt, gte, lt, lte; at most ${maxFilterDepth} deep. Tags by key, name or synonym, in English or Chinese; what is-a tag of it counts too.`,
  }) as z.ZodType<FilterNode>;

/** What to search for. */
export const searchInput = z
  .strictObject({
    q: text.optional().meta({ description: 'Tags by name; other words must be in title, artist or ISRC' }),
    filter: filterNode.optional(),
    like: z
      .strictObject({
        tracks: z.array(z.string()).max(maxLike).default([]),
        segments: z
          .array(
            z
              .strictObject({
                trackId: z.string(),
                startMs: z.number().int().min(0),
                endMs: z.number().int().min(1),
              })
              .refine(({ startMs, endMs }) => startMs < endMs, 'endMs must be after startMs'),
          )
          .max(maxLike)
          .default([]),
      })
      .refine(({ tracks, segments }) => tracks.length + segments.length > 0, 'names nothing')
      .optional()
      .meta({ description: 'Order by similarity of sound' }),
    weights: z
      .array(z.strictObject({ facet, tag: text, weight: z.number().min(-10).max(10) }))
      .max(maxValues)
      .optional()
      .meta({ description: 'How much each tag counts in the order' }),
    facets: z.array(facet).max(facets.length).default([]).meta({ description: 'Facets to count' }),
    limit: z.number().int().min(1).max(maxPageLength).default(20),
    cursor: z.string().max(300).optional().meta({ description: 'nextCursor of the page before' }),
  })
  .meta({ id: 'SearchInput' });

/** A search as it comes. */
export type SearchInput = z.output<typeof searchInput>;

/** Finds catalogs by name. */
export type CatalogFinder = (names: readonly string[]) => Promise<readonly (CatalogId | undefined)[]>;

/**
 * Turns a filter into what the store takes: labels into tags, names into catalogs.
 *
 * @throws {RequestError} `request.invalid` with a pointer for each fault
 */
export async function readFilter(node: FilterNode, catalogs: CatalogFinder): Promise<TagFilter> {
  const faults: ProblemField[] = [];
  let nodes = 0;
  const fault = (pointer: string, code: string, title: string): undefined => {
    faults.push({ pointer, code, title });
    return undefined;
  };
  const list = async (
    op: 'and' | 'or',
    children: readonly FilterNode[],
    pointer: string,
    depth: number,
  ): Promise<TagFilter> => {
    const filters: TagFilter[] = [];
    for (const [i, child] of children.entries()) {
      const filter = await read(child, `${pointer}/${op}/${i}`, depth + 1);
      if (filter !== undefined) filters.push(filter);
    }
    return { op, filters };
  };
  const read = async (one: FilterNode, pointer: string, depth: number): Promise<TagFilter | undefined> => {
    if (depth > maxFilterDepth)
      return fault(pointer, 'search.too-deep', `a filter is at most ${maxFilterDepth} deep`);
    if (++nodes > maxFilterNodes)
      return nodes === maxFilterNodes + 1
        ? fault(pointer, 'search.too-many', `a filter has at most ${maxFilterNodes} nodes`)
        : undefined;
    const keys = Object.entries(one).filter(([, value]) => value !== undefined);
    if (keys.length !== 1)
      return fault(
        pointer,
        'search.one-condition',
        'a node has exactly one of and, or, not, in, gt, gte, lt, lte',
      );
    if (one.and !== undefined) return list('and', one.and, pointer, depth);
    if (one.or !== undefined) return list('or', one.or, pointer, depth);
    if (one.not !== undefined) {
      const filter = await read(one.not, `${pointer}/not`, depth + 1);
      return filter && { op: 'not', filter };
    }
    if (one.in !== undefined) return readSet(one.in, `${pointer}/in`);
    for (const is of ['gt', 'gte', 'lt', 'lte'] as const) {
      const bound = one[is];
      if (bound === undefined) continue;
      const { field, value } = bound;
      const number = numberFields.find((name) => name === field);
      if (number !== undefined) return { op: 'number', field: number, is, value };
      const id = attempt(() => ontologyV1.resolve(field), `${pointer}/${is}/field`, faults);
      return id && { op: 'score', ...partsOf(id), is, value };
    }
    return undefined;
  };
  const readSet = async (
    { field, values, minScore }: NonNullable<FilterNode['in']>,
    pointer: string,
  ): Promise<TagFilter | undefined> => {
    if (field === 'artist') return { op: 'artist', names: values };
    if (field === 'catalog') {
      const ids = await catalogs(values);
      return {
        op: 'catalog',
        ids: ids.flatMap((id, i) => {
          if (id !== undefined) return [id];
          fault(`${pointer}/values/${i}`, 'catalog.unknown-catalog', `there is no catalog "${values[i]}"`);
          return [];
        }),
      };
    }
    const ids = values.flatMap(
      (value, i) => attempt(() => ontologyV1.resolve(value, field), `${pointer}/values/${i}`, faults) ?? [],
    );
    return hasOneOf(ids, field, minScore);
  };
  const filter = await read(node, '/filter', 1);
  if (faults.length > 0 || filter === undefined)
    throw new RequestError('request.invalid', 'the filter breaks a rule', faults.slice(0, 50));
  return filter;
}

/** Weights with their labels resolved. @throws {RequestError} `request.invalid` */
export function readWeights(weights: NonNullable<SearchInput['weights']>): readonly TagWeight[] {
  const faults: ProblemField[] = [];
  const read = weights.flatMap(({ facet, tag, weight }, i) => {
    const id = attempt(() => ontologyV1.resolve(tag, facet), `/weights/${i}/tag`, faults);
    return id === undefined ? [] : [{ ...partsOf(id), weight }];
  });
  if (faults.length > 0) throw new RequestError('request.invalid', 'a weight names no tag', faults);
  return read;
}

/**
 * Reads words: the longest names of tags in them must be said of a track (one of them where a name is ambiguous), every
 * other word must be in its title, artist or ISRC.
 */
export function readWords(q: string): TagFilter {
  const { concepts, words } = ontologyV1.findIn(q);
  return {
    op: 'and',
    filters: [
      ...concepts.map((ids): TagFilter => ({
        op: 'or',
        filters: ids.map((id) => hasOneOf([id], partsOf(id).facet)),
      })),
      ...words.map((contains): TagFilter => ({ op: 'text', contains })),
    ],
  };
}

/** Ids of tracks to resemble. @throws {RequestError} `request.invalid` with a pointer for each that is none */
export function readLike(like: NonNullable<SearchInput['like']>): Readonly<{
  tracks: readonly TrackId[];
  segments: readonly Readonly<{ trackId: TrackId; startMs: number; endMs: number }>[];
}> {
  const faults: ProblemField[] = [];
  const idAt = (id: string, pointer: string): TrackId[] => {
    if (isId('track', id)) return [id];
    faults.push({ pointer, code: 'kernel.bad-id', title: 'this is no id of a track' });
    return [];
  };
  const tracks = like.tracks.flatMap((id, i) => idAt(id, `/like/tracks/${i}`));
  const segments = like.segments.flatMap(({ trackId, ...range }, i) =>
    idAt(trackId, `/like/segments/${i}/trackId`).map((id) => ({ trackId: id, ...range })),
  );
  if (faults.length > 0) throw new RequestError('request.invalid', 'some ids are not valid', faults);
  return { tracks, segments };
}

/** A condition that holds for the tags and for everything that is one of them. */
function hasOneOf(ids: readonly ConceptId[], facet: Facet, minScore?: number): TagFilter {
  const kin = ontologyV1.concepts
    .map((concept): ConceptId => `${concept.facet}/${concept.tag}`)
    .filter((id) => ids.includes(id) || ids.some((parent) => ontologyV1.ancestorsOf(id).has(parent)));
  const tags = kin.map((id) => partsOf(id).tag);
  return { op: 'tag', facet, tags, ...(minScore !== undefined && { minScore }) };
}

function partsOf(id: ConceptId): Readonly<{ facet: Facet; tag: string }> {
  const slash = id.indexOf('/');
  const name = id.slice(0, slash);
  if (!isFacet(name)) throw new TypeError(`${id} has no facet`);
  return { facet: name, tag: id.slice(slash + 1) };
}

function attempt<T>(work: () => T, pointer: string, faults: ProblemField[]): T | undefined {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof UnknownTagError || error instanceof AmbiguousLabelError)) throw error;
    faults.push({ pointer, code: error.code, title: error.message });
    return undefined;
  }
}
