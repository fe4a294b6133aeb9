import { indexConfigId } from '../embedded/embedded-index.js';

/** Names of one installation's fingerprint indexes in a cluster that several may share. */
export type IndexNames = Readonly<{
  /** Alias that queries and writes go to. */
  alias: string;
  /** Template that gives every version its mapping. */
  template: string;
  /** Pattern of the versions. */
  pattern: string;
}>;

/** Most characters of the installation's name. */
const longestName = 64;

/**
 * Derives the names from the installation's name.
 *
 * @param installation lower-case letters, digits, `-` and `_`, at most 64 characters
 * @throws {RangeError} when Elasticsearch would refuse the name
 */
export function indexNames(installation: string): IndexNames {
  if (!/^[a-z0-9][a-z0-9_-]*$/.test(installation) || installation.length > longestName) {
    throw new RangeError(`"${installation}" cannot be part of an index name`);
  }
  const alias = `${installation}-fingerprints`;
  return { alias, template: alias, pattern: `${alias}-v*` };
}

/** Name of a version of the index. */
export function versionName({ alias }: IndexNames, version: number): string {
  return `${alias}-v${String(version).padStart(6, '0')}`;
}

/** Number of a version by its name, 0 for any other name. */
export function versionNumber({ alias }: IndexNames, name: string): number {
  return name.startsWith(`${alias}-v`) ? Number(name.slice(alias.length + 2)) || 0 : 0;
}

/** How documents are spread over nodes. */
export type IndexLayout = Readonly<{
  shards: number;
  /** Copies beside the first, `MIN-MAX`: as many as the nodes allow. */
  replicas: string;
}>;

/**
 * Mapping of a document, which is a chunk of a track: `hashes` are terms without positions, frequencies or norms, and
 * are not kept in the source. `settings` of the index let it carry as many chunks as it is given.
 */
export function indexTemplate({ pattern }: IndexNames, { shards, replicas }: IndexLayout): object {
  return {
    index_patterns: [pattern],
    priority: 500,
    _meta: { fingerprint: indexConfigId },
    template: {
      settings: {
        index: {
          number_of_shards: shards,
          auto_expand_replicas: replicas,
          // Every acknowledged write is refreshed by the writer; nobody waits for the timer.
          refresh_interval: '30s',
          // A track's chunks are spelled with a version per document, which deleted documents must outlive.
          gc_deletes: '1h',
          // A question looks every hash up in every segment: fewer segments are worth more merging (three against
          // 27 at 14 h: a third of the CPU time of a question and two fifths of the size).
          merge: { policy: { segments_per_tier: 4, floor_segment: '64mb' } },
        },
      },
      mappings: {
        dynamic: 'strict',
        _meta: { fingerprint: indexConfigId },
        _source: { excludes: ['hashes'] },
        properties: {
          hashes: {
            type: 'text',
            analyzer: 'whitespace',
            index_options: 'docs',
            norms: false,
            similarity: 'boolean',
          },
          tenant: { type: 'keyword' },
          catalog: { type: 'keyword' },
          track: { type: 'keyword', index: false },
          chunk: { type: 'integer' },
          chunks: { type: 'integer', index: false, doc_values: false },
          landmarks: { type: 'integer', index: false },
          sequence: { type: 'long', index: false, doc_values: false },
        },
      },
    },
  };
}

/** Id of the document that remembers how far the outbox was applied. */
export const stateId = 'state';

/** Id of a chunk's document. */
export function documentId(trackId: string, chunk: number): string {
  return `${trackId}/${chunk}`;
}

/** Track and chunk of a document's id. */
export function placeOfId(id: string): { trackId: string; chunk: number } {
  const slash = id.lastIndexOf('/');
  return { trackId: id.slice(0, slash), chunk: Number(id.slice(slash + 1)) };
}
