import {
  normaliseIsrc,
  readArtists,
  readRefs,
  readRights,
  readText,
  type RecordingRights,
  type TrackMetadata,
  type TrackPatch,
} from '@earmark/catalog';
import { RequestError } from '@earmark/platform';
import type { z } from 'zod';
import { parseWith } from '../http/schema-pipe.js';
import { trackInput, type trackPatch } from '../resources.js';

/**
 * Checks a description beyond its shape: texts, ISRC, references, rights.
 *
 * @throws {InvalidValueError} with the pointer of the field
 */
export function readTrackInput(input: z.output<typeof trackInput>): TrackMetadata {
  return {
    ...(input.title !== undefined && { title: readText(input.title, '/title') }),
    artists: readArtists(input.artists ?? [], '/artists'),
    ...(input.isrc !== undefined && { isrc: normaliseIsrc(input.isrc) }),
    refs: readRefs(input.refs ?? [], '/refs'),
    ...(input.rights && { rights: readRights(input.rights as RecordingRights, '/rights') }),
    ...(input.explicit !== undefined && { explicit: input.explicit }),
  };
}

/**
 * Checks changes to a description.
 *
 * @throws {InvalidValueError} with the pointer of the field
 */
export function readTrackPatch(patch: z.output<typeof trackPatch>): TrackPatch {
  const { title, artists, isrc, refs, rights, explicit } = patch;
  return {
    ...(title !== undefined && { title: title === null ? null : readText(title, '/title') }),
    ...(artists && { artists: readArtists(artists, '/artists') }),
    ...(isrc !== undefined && { isrc: isrc === null ? null : normaliseIsrc(isrc) }),
    ...(refs && { refs: readRefs(refs, '/refs') }),
    ...(explicit !== undefined && { explicit }),
    ...(rights !== undefined && {
      rights: rights === null ? null : readRights(rights as RecordingRights, '/rights'),
    }),
  };
}

/**
 * Reads the JSON of a multipart field.
 *
 * @throws {RequestError} `request.invalid` with the field's name
 */
export function readJsonField<S extends z.ZodType>(schema: S, name: string, text: string): z.output<S> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new RequestError('request.invalid', `the field ${name} is no JSON`, [
      { pointer: name, code: 'request.bad-json', title: 'is no JSON' },
    ]);
  }
  return parseWith(schema, value, name);
}

/** Reads a yes or no of a multipart field. @throws {RequestError} `request.invalid` */
export function readFlag(name: string, text: string | undefined): boolean {
  if (text === undefined || text === '' || text === 'false') return false;
  if (text === 'true') return true;
  throw new RequestError('request.invalid', `the field ${name} is true or false`, [
    { pointer: name, code: 'request.invalid-value', title: 'is neither true nor false' },
  ]);
}

/** Shape of a description in a multipart field. */
export const metadataField = trackInput;
