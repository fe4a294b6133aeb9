import { facets, type Facet } from './ontology/concept.js';
import type { TagResult } from './tag-result.js';
import type { JudgedTag } from './verdict.js';

type Observation = Readonly<{ time: number; duration: number; value: string; confidence: number | null }>;

/** A JAMS document, as far as tags need it. */
export type JamsDocument = Readonly<{
  annotations: readonly Readonly<{
    namespace: 'tag_open';
    annotation_metadata: Readonly<{
      annotation_tools: string;
      data_source: 'program' | 'manual';
      version: string;
      corpus: string;
      annotation_rules: string;
      validation: string;
      curator: Readonly<{ name: string; email: string }>;
      annotator: Readonly<Record<string, string>>;
    }>;
    data: readonly Observation[];
    sandbox: Readonly<{ facet: Facet }>;
    /** Seconds. */
    time: number;
    duration: number;
  }>[];
  file_metadata: Readonly<{
    title: string;
    artist: string;
    release: string;
    /** Seconds. */
    duration: number;
    identifiers: Readonly<Record<string, string>>;
    jams_version: string;
  }>;
  sandbox: Readonly<Record<string, unknown>>;
}>;

/** What is known of the recording. */
export type JamsTrack = Readonly<{
  title?: string;
  artists?: readonly string[];
  identifiers?: Readonly<Record<string, string>>;
}>;

const jamsVersion = '0.3.4';

/**
 * Exports the tags of a track as JAMS: one annotation a facet in the namespace `tag_open`, an observation for each place
 * where a tag holds, in seconds. Tags that people confirmed form annotations of their own, marked manual.
 *
 * @see E. Humphrey et al., "JAMS: A JSON Annotated Music Specification", ISMIR 2014
 */
export function toJams(
  result: Pick<TagResult, 'durationMs' | 'model' | 'ontology'>,
  tags: readonly JudgedTag[],
  track: JamsTrack = {},
): JamsDocument {
  const duration = result.durationMs / 1000;
  const sources = [
    ['program', tags.filter(({ verdict }) => verdict === undefined)],
    ['manual', tags.filter(({ verdict }) => verdict !== undefined)],
  ] as const;
  const annotations = sources.flatMap(([source, said]) =>
    facets.flatMap((facet) => {
      const data = said.filter((tag) => tag.facet === facet).flatMap((tag) => observations(tag, duration));
      if (data.length === 0) return [];
      return [
        {
          namespace: 'tag_open' as const,
          annotation_metadata: {
            annotation_tools: source === 'program' ? `${result.model.id}@${result.model.version}` : '',
            data_source: source,
            version: `${result.ontology.id}@${result.ontology.version}`,
            corpus: '',
            annotation_rules: '',
            validation: '',
            curator: { name: '', email: '' },
            annotator: {},
          },
          data,
          sandbox: { facet },
          time: 0,
          duration,
        },
      ];
    }),
  );
  return {
    annotations,
    file_metadata: {
      title: track.title ?? '',
      artist: track.artists?.join(', ') ?? '',
      release: '',
      duration,
      identifiers: track.identifiers ?? {},
      jams_version: jamsVersion,
    },
    sandbox: {},
  };
}

function observations(tag: JudgedTag, duration: number): Observation[] {
  const confidence = tag.verdict === undefined ? tag.score : null;
  if (tag.segments.length === 0) return [{ time: 0, duration, value: tag.tag, confidence }];
  return tag.segments.map(({ startMs, endMs, score }) => ({
    time: startMs / 1000,
    duration: (endMs - startMs) / 1000,
    value: tag.tag,
    confidence: tag.verdict === undefined ? score : null,
  }));
}
