import { DomainError, InvalidValueError } from '@earmark/kernel';

/** What is wrong in one field of a request. */
export type ProblemField = Readonly<{
  /** JSON pointer into the body, or `query/NAME`, `path/NAME`, `header/NAME`. */
  pointer: string;
  code: string;
  title: string;
}>;

/**
 * The body of every error answer.
 *
 * @see RFC 9457
 */
export type Problem = Readonly<{
  type: string;
  title: string;
  status: number;
  detail: string;
  /** Stable and machine-readable. */
  code: string;
  request_id: string;
  errors?: readonly ProblemField[];
}>;

/** An error that a request causes before any use case is reached. */
export class RequestError extends DomainError {
  constructor(
    readonly code: RequestErrorCode,
    message: string,
    readonly fields: readonly ProblemField[] = [],
    /** Headers of the answer. */
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }
}

/** Codes of {@link RequestError}. */
export type RequestErrorCode =
  | 'auth.missing-key'
  | 'auth.bad-key'
  | 'auth.missing-scope'
  | 'request.bad-json'
  | 'request.invalid'
  | 'request.not-found'
  | 'request.too-large'
  | 'request.unsupported-type'
  | 'request.empty-file'
  | 'request.missing-file'
  | 'request.bad-multipart'
  | 'request.rate-limited'
  | 'request.shutting-down'
  | 'catalog.track-not-found'
  | 'tag.not-tagged'
  | 'transition.preview-not-found'
  | 'model.not-known'
  | 'model.no-earlier'
  | 'retag.not-found'
  | 'scan.not-found'
  | 'job.not-found'
  | 'key.not-found'
  | 'key.last-admin'
  | 'upload.not-found'
  | 'upload.incomplete'
  | 'upload.checksum-mismatch'
  | 'upload.too-long'
  | 'upload.bad-offset'
  | 'import.too-many-rows'
  | 'idempotency.key-reused'
  | 'idempotency.in-progress'
  | 'idempotency.bad-key';

type Meaning = readonly [status: number, title: string];

/** The one table from codes to HTTP status and title. */
export const problemTable: Readonly<Record<string, Meaning>> = {
  'auth.missing-key': [401, 'An API key is required'],
  'auth.bad-key': [401, 'The API key is not valid'],
  'auth.missing-scope': [403, 'The API key lacks a scope'],
  'request.bad-json': [400, 'The body is not valid JSON'],
  'request.bad-multipart': [400, 'The multipart body is malformed'],
  'request.missing-file': [400, 'A file is required'],
  'request.invalid': [422, 'The request breaks a rule'],
  'request.not-found': [404, 'There is nothing here'],
  'request.too-large': [413, 'The body is too large'],
  'request.unsupported-type': [415, 'The type of content is not accepted'],
  'request.empty-file': [422, 'The file is empty'],
  'request.rate-limited': [429, 'Too many requests'],
  'engine.busy': [503, 'Too many clips are in work'],
  'request.shutting-down': [503, 'The server is shutting down'],
  'catalog.track-not-found': [404, 'There is no such track'],
  'catalog.unknown-catalog': [404, 'There is no such catalog'],
  'catalog.not-found': [404, 'There is no such track'],
  'catalog.track-gone': [409, 'The track was removed meanwhile'],
  'catalog.duplicate': [409, 'The recording is already in the catalog'],
  'catalog.ref-taken': [409, 'The reference belongs to another track'],
  'catalog.version-changed': [412, 'The track was changed meanwhile'],
  'catalog.bad-isrc': [422, 'The ISRC is not valid'],
  'catalog.bad-iswc': [422, 'The ISWC is not valid'],
  'catalog.bad-upc': [422, 'The UPC or EAN is not valid'],
  'catalog.bad-ref': [422, 'The reference is not valid'],
  'catalog.bad-rights': [422, 'The rights are not valid'],
  'catalog.bad-text': [422, 'The text is not valid'],
  'catalog.too-many': [422, 'The list is too long'],
  'kernel.bad-id': [422, 'The id is not valid'],
  'scan.not-found': [404, 'There is no such scan'],
  'monitoring.no-such-scan': [404, 'There is no such scan'],
  'monitoring.bad-transition': [409, 'The scan cannot change in this way'],
  'job.not-found': [404, 'There is no such job'],
  'job.worker-lost': [500, 'Every worker that tried the job was lost'],
  'job.cancelled': [409, 'The job was cancelled'],
  'key.not-found': [404, 'There is no such key'],
  'key.last-admin': [409, 'A key cannot revoke itself'],
  'upload.not-found': [404, 'There is no such upload'],
  'upload.incomplete': [409, 'The upload is not complete'],
  'upload.busy': [409, 'Another part of the upload is being written'],
  'upload.offset-mismatch': [409, 'The upload goes on at another offset'],
  'upload.bad-offset': [400, 'The offset is missing or malformed'],
  'upload.too-long': [413, 'More bytes than the upload was made for'],
  'upload.checksum-mismatch': [422, 'The bytes do not have the promised checksum'],
  'import.bad-csv': [422, 'The CSV is malformed'],
  'import.bad-mapping': [422, 'The mapping is not valid'],
  'import.no-columns': [422, 'The file has no column that is a field of a track'],
  'import.line-too-long': [422, 'A line is too long'],
  'import.too-many-rows': [413, 'The file has too many rows'],
  'idempotency.bad-key': [422, 'The Idempotency-Key is not valid'],
  'idempotency.key-reused': [422, 'The Idempotency-Key was used for another request'],
  'idempotency.in-progress': [409, 'The first request with this Idempotency-Key is still running'],
  'media.not-found': [422, 'The file is gone'],
  'media.empty': [422, 'The file is empty'],
  'media.not-media': [415, 'The file is no audio and no video'],
  'media.no-audio': [422, 'The file has no audio'],
  'media.codec-needs-ffmpeg': [415, 'This codec needs FFmpeg, which is not installed'],
  'media.playlist': [415, 'Playlists are not accepted'],
  'media.external-reference': [422, 'The file refers to other files or hosts'],
  'media.truncated': [422, 'The file breaks off'],
  'media.decode-failed': [422, 'The audio cannot be decoded'],
  'media.silent': [422, 'The audio is silent'],
  'media.too-long': [422, 'The audio is too long'],
  'media.zero-duration': [422, 'The audio has no length'],
  'media.stalled': [422, 'The audio could not be decoded in time'],
  'media.aborted': [503, 'The work was stopped'],
  'fingerprint.bad-file': [422, 'The fingerprint file is damaged'],
  'fingerprint.bad-peaks': [422, 'The fingerprint is damaged'],
  'fingerprint.unknown-version': [422, 'The fingerprint was made by an unknown version'],
  'catalog.no-such-track': [404, 'There is no such track'],
  'tag.not-tagged': [404, 'The track has no tags'],
  'tag.nothing-to-resemble': [422, 'There is nothing to resemble'],
  'tag.audio-gone': [409, 'The audio of the track is not at hand'],
  'tagging.unknown-tag': [422, 'The vocabulary has no such tag'],
  'tagging.ambiguous-label': [422, 'The label means several tags'],
  'retag.not-found': [404, 'There is no such re-tagging'],
  'model.not-known': [404, 'There is no such model'],
  'model.no-earlier': [409, 'No other model spoke before'],
  'model.not-found': [422, 'The model is not at hand'],
  'model.bad-manifest': [422, 'The manifest of the model is not valid'],
  'model.hash-mismatch': [422, 'The model is not the file that its manifest names'],
  'model.shape-mismatch': [422, 'The model does not fit its manifest'],
  'model.unknown-tag': [422, 'The model has a tag that the vocabulary lacks'],
  'model.unloadable': [422, 'The model cannot be loaded'],
  'model.duplicate': [422, 'Two models have one id and version'],
  'model.version-taken': [422, 'The version is known with another model'],
  'transition.not-analyzed': [409, 'The track has not been analysed'],
  'transition.audio-gone': [409, 'The audio of the track is gone'],
  'transition.impossible-sequence': [422, 'No order satisfies the wishes'],
  'transition.not-in-set': [422, 'The track is not in the set'],
  'transition.preview-not-found': [404, 'There is no such preview'],
  'index.locked': [503, 'Another process writes the index'],
  'index.read-only': [503, 'This process only reads the index'],
  'index.stalled': [503, 'The index does not keep up'],
  'index.unavailable': [503, 'The index cannot be reached for now'],
  'index.full': [503, 'The index takes no writes for now'],
  'index.gone': [503, 'The index is being made again'],
  'index.forbidden': [503, 'The index refuses the credentials'],
  'index.refused': [500, 'The index refuses the request'],
  'engine.worker-died': [503, 'A worker died'],
  'storage.unreachable': [503, 'The database does not answer'],
};

const internal: Meaning = [500, 'Something went wrong here'];

/** HTTP status of a code; 500 for codes that are not in the table. */
export function statusOf(code: string): number {
  return (problemTable[code] ?? internal)[0];
}

/**
 * Turns any error into the body of an answer. What is not a {@link DomainError} says nothing about itself: its text
 * belongs into the log.
 */
export function toProblem(error: unknown, requestId: string): Problem {
  const isKnown = error instanceof DomainError && Object.hasOwn(problemTable, error.code);
  const code = isKnown ? error.code : 'internal';
  const [status, title] = isKnown ? (problemTable[code] ?? internal) : internal;
  const fields = isKnown ? fieldsOf(error) : [];
  return {
    type: `urn:earmark:problem:${code}`,
    title,
    status,
    detail: isKnown ? error.message : 'The request id finds the cause in the log of the server.',
    code,
    request_id: requestId,
    ...(fields.length > 0 && { errors: fields }),
  };
}

function fieldsOf(error: DomainError): readonly ProblemField[] {
  if (error instanceof RequestError) return error.fields;
  const pointer =
    error instanceof InvalidValueError || ('pointer' in error && typeof error.pointer === 'string')
      ? (error as Readonly<{ pointer: string }>).pointer
      : undefined;
  return pointer === undefined || pointer === '' ? [] : [{ pointer, code: error.code, title: error.message }];
}
