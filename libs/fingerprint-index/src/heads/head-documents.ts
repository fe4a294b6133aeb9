import { ShapeError } from '@earmark/kernel';
import type { HeadChange } from '@earmark/transition';
import { deleteAction, indexAction, type BulkAction } from '../elasticsearch/bulk-writer.js';
import { documentId, type IndexLayout } from '../elasticsearch/index-names.js';

/** The model whose entry points an index holds. */
export type HeadModel = Readonly<{ id: string; dimensions: number }>;

/** Names of an installation's indexes of entry points. */
export type HeadIndexNames = Readonly<{
  /** Alias of this model's index, which queries and writes go to. */
  alias: string;
  /** Pattern of this model's versions. */
  versions: string;
  /** Pattern of the indexes of all models. */
  all: string;
}>;

/** Derives the names from the installation's name and the id of a model. */
export function headIndexNames(installation: string, modelId: string): HeadIndexNames {
  const all = `${installation}-heads-`;
  const alias = all + modelId.toLowerCase().replace(/[^a-z0-9._-]/g, '-');
  return { alias, versions: `${alias}-v*`, all: `${all}*` };
}

/** Number of a version by its name, 0 for the index of another model. */
export function headVersion({ alias }: HeadIndexNames, name: string): number {
  return name.startsWith(`${alias}-v`) ? Number(name.slice(alias.length + 2)) || 0 : 0;
}

/** Name of a version of a model's index. */
export function headVersionName({ alias }: HeadIndexNames, version: number): string {
  return `${alias}-v${String(version).padStart(6, '0')}`;
}

/**
 * Settings and mapping of an index. The dot product is taken as it is, since codes with a part missing are shorter than
 * 1; vectors are searched as bytes, and are not kept in the source.
 */
export function headIndexBody({ id, dimensions }: HeadModel, { shards, replicas }: IndexLayout): object {
  const stored = { type: 'integer', index: false, doc_values: false } as const;
  return {
    settings: {
      index: {
        number_of_shards: shards,
        auto_expand_replicas: replicas,
        // The writer refreshes after every batch; nobody waits for the timer.
        refresh_interval: '30s',
        // An older change that arrives late meets the trace of the deletion.
        gc_deletes: '1h',
      },
    },
    mappings: {
      dynamic: 'strict',
      _meta: { model: id },
      _source: { excludes: ['vector'] },
      properties: {
        tenant: { type: 'keyword' },
        catalog: { type: 'keyword' },
        track: { type: 'keyword' },
        tempoBpm: { type: 'double' },
        atMs: { type: 'integer' },
        ordinal: stored,
        heads: stored,
        sequence: { type: 'long', index: false, doc_values: false },
        vector: {
          type: 'dense_vector',
          dims: dimensions,
          index: true,
          similarity: 'max_inner_product',
          index_options: { type: 'int8_hnsw', m: 16, ef_construction: 100 },
        },
      },
    },
  };
}

/**
 * Documents of a changed track, one a head. Surplus ones are deleted first, and the first one, which carries their number,
 * last, so that a write that broke off is known of by the next one.
 *
 * @param before documents that are stored of the track
 * @throws {ShapeError} if a code is too short
 */
export function headActions(change: HeadChange, model: HeadModel, before: number): BulkAction[] {
  const { trackId, sequence } = change;
  // What another model made cannot be compared; it is made again by a backfill.
  const known = change.heads?.modelId === model.id ? change.heads : undefined;
  const heads = known?.heads ?? [];
  const actions: BulkAction[] = [];
  for (let n = before - 1; n >= heads.length; n--)
    actions.push(deleteAction(documentId(trackId, n), trackId, sequence));
  for (const [n, { ordinal, atMs, code }] of heads.entries()) {
    if (code.length < model.dimensions)
      throw new ShapeError('code', `at least ${model.dimensions} values`, code.length);
    const source = {
      tenant: change.tenantId,
      catalog: known?.catalogId,
      track: trackId,
      ...(known?.tempoBpm !== undefined && { tempoBpm: known.tempoBpm }),
      atMs,
      ordinal,
      heads: heads.length,
      vector: [...code.subarray(0, model.dimensions)],
    };
    actions.push(indexAction(documentId(trackId, n), trackId, sequence, JSON.stringify(source)));
  }
  return actions;
}
