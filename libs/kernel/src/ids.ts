import { InvalidValueError } from './errors.js';

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** `ten_...`: an organisation; every row belongs to one. */
export type TenantId = Branded<'TenantId'>;
/** `cat_...`: a named set of tracks inside a tenant. */
export type CatalogId = Branded<'CatalogId'>;
/** `trk_...`: a recording in a catalog. */
export type TrackId = Branded<'TrackId'>;
/** `scn_...`: one pass of a file or stream against the catalogs. */
export type ScanId = Branded<'ScanId'>;
/** `mat_...`: one find of a track in a scan. */
export type MatchId = Branded<'MatchId'>;
/** `job_...`: one unit of queued work. */
export type JobId = Branded<'JobId'>;
/** `upl_...`: a resumable upload. */
export type UploadId = Branded<'UploadId'>;
/** `key_...`: an API key (never its secret). */
export type KeyId = Branded<'KeyId'>;

const prefixes = {
  tenant: 'ten',
  catalog: 'cat',
  track: 'trk',
  scan: 'scn',
  match: 'mat',
  job: 'job',
  upload: 'upl',
  key: 'key',
} as const;

/** The kinds of id, each with its own prefix. */
export type IdKind = keyof typeof prefixes;

/** Maps a kind of id to its branded type. */
export type IdOf = {
  tenant: TenantId;
  catalog: CatalogId;
  track: TrackId;
  scan: ScanId;
  match: MatchId;
  job: JobId;
  upload: UploadId;
  key: KeyId;
};

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
const pattern = /^([a-z]{3})_[0-9a-hjkmnp-tv-z]{26}$/;

/**
 * Makes an id: prefix, `_`, and a ULID in lower case (48-bit time, 80 random bits), so ids sort by time.
 *
 * @param timeMs milliseconds since 1970, 0 .. 2^48 - 1
 * @param randomBytes at least 10 random bytes
 * @see https://github.com/ulid/spec
 */
export function makeId<K extends IdKind>(kind: K, timeMs: number, randomBytes: Uint8Array): IdOf[K] {
  let time = '';
  let rest = timeMs;
  for (let i = 0; i < 10; i++) {
    time = alphabet.charAt(rest % 32) + time;
    rest = Math.floor(rest / 32);
  }
  let random = '';
  let bits = 0;
  let value = 0;
  for (let i = 0; random.length < 16; i++) {
    value = (value << 8) | (randomBytes[i] ?? 0);
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      random += alphabet.charAt((value >>> bits) & 31);
    }
    value &= (1 << bits) - 1;
  }
  return `${prefixes[kind]}_${time}${random}` as IdOf[K];
}

/** Tells whether `text` is a well-formed id of the kind. */
export function isId<K extends IdKind>(kind: K, text: string): text is IdOf[K] {
  return pattern.exec(text)?.[1] === prefixes[kind];
}

/**
 * Reads an id that came from outside.
 *
 * @param pointer JSON pointer of the field, for the error
 * @throws {InvalidValueError} `kernel.bad-id` if the text is not an id of that kind
 */
export function parseId<K extends IdKind>(kind: K, text: string, pointer = ''): IdOf[K] {
  if (!isId(kind, text)) {
    throw new InvalidValueError(
      'kernel.bad-id',
      pointer,
      `"${text}" is not a ${kind} id (${prefixes[kind]}_...)`,
    );
  }
  return text;
}
