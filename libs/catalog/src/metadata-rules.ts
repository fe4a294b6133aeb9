import { InvalidValueError } from '@earmark/kernel';
import { normaliseIsrc, normaliseIswc, normaliseUpc } from './identifiers.js';
import type { RecordingRights, TrackRef } from './track.js';

/** Published limits of a track's description. */
export const metadataLimits = {
  /** Characters of a title, an artist, an owner or a licence. */
  textLength: 300,
  artists: 50,
  refs: 20,
  refNamespaceLength: 32,
  refValueLength: 200,
  territories: 250,
} as const;

/** Namespaces whose values have a standard form. */
const standardNamespaces: Readonly<Record<string, (value: string, pointer: string) => string>> = {
  isrc: normaliseIsrc,
  iswc: normaliseIswc,
  upc: normaliseUpc,
  ean: normaliseUpc,
};

/**
 * Reads a line of text: trimmed, Unicode NFC, not empty, without control characters, at most 300 characters.
 *
 * @throws {InvalidValueError} `catalog.bad-text`
 */
export function readText(text: string, pointer: string): string {
  const value = text.trim().normalize('NFC');
  const fail = (what: string): never => {
    throw new InvalidValueError('catalog.bad-text', pointer, what);
  };
  if (value === '') fail('is empty');
  if ([...value].length > metadataLimits.textLength)
    fail(`is longer than ${metadataLimits.textLength} characters`);
  if (/[\p{Cc}\p{Cs}]/u.test(value)) fail('contains control characters');
  return value;
}

/**
 * Reads the names of artists: each a line of text, no name twice.
 *
 * @throws {InvalidValueError} `catalog.bad-text`, `catalog.too-many`
 */
export function readArtists(artists: readonly string[], pointer: string): readonly string[] {
  if (artists.length > metadataLimits.artists) {
    throw new InvalidValueError('catalog.too-many', pointer, `more than ${metadataLimits.artists} artists`);
  }
  return [...new Set(artists.map((artist, i) => readText(artist, `${pointer}/${i}`)))];
}

/**
 * Reads a reference; values of `isrc`, `iswc`, `upc` and `ean` are checked and written in their standard form.
 *
 * @throws {InvalidValueError} `catalog.bad-ref`, or the standard's own code
 */
export function readRef(ref: TrackRef, pointer: string): TrackRef {
  const { namespace } = ref;
  if (!/^[a-z0-9][a-z0-9._-]*$/.test(namespace) || namespace.length > metadataLimits.refNamespaceLength) {
    throw new InvalidValueError(
      'catalog.bad-ref',
      `${pointer}/namespace`,
      `a namespace is 1 to ${metadataLimits.refNamespaceLength} of a-z 0-9 . _ -`,
    );
  }
  const standard = Object.hasOwn(standardNamespaces, namespace) ? standardNamespaces[namespace] : undefined;
  if (standard) return { namespace, value: standard(ref.value, `${pointer}/value`) };
  const value = ref.value.trim();
  if (value === '' || value.length > metadataLimits.refValueLength || /[\p{Cc}\p{Cs}]/u.test(value)) {
    throw new InvalidValueError(
      'catalog.bad-ref',
      `${pointer}/value`,
      `a value is 1 to ${metadataLimits.refValueLength} printable characters`,
    );
  }
  return { namespace, value };
}

/**
 * Reads a track's references: no pair twice.
 *
 * @throws {InvalidValueError} `catalog.bad-ref`, `catalog.too-many`, or a standard's own code
 */
export function readRefs(refs: readonly TrackRef[], pointer: string): readonly TrackRef[] {
  if (refs.length > metadataLimits.refs) {
    throw new InvalidValueError('catalog.too-many', pointer, `more than ${metadataLimits.refs} references`);
  }
  const byKey = new Map<string, TrackRef>();
  refs.forEach((ref, i) => {
    const clean = readRef(ref, `${pointer}/${i}`);
    byKey.set(`${clean.namespace}:${clean.value}`, clean);
  });
  return [...byKey.values()];
}

/**
 * Reads rights: texts within limits, territories as two letters, days as `YYYY-MM-DD` in order, a share of 0..100.
 *
 * @throws {InvalidValueError} `catalog.bad-rights`, `catalog.bad-text`
 */
export function readRights(rights: RecordingRights, pointer: string): RecordingRights {
  const fail = (field: string, what: string): never => {
    throw new InvalidValueError('catalog.bad-rights', `${pointer}/${field}`, what);
  };
  const { owner, licence, territories, validFrom, validTo, sharePct } = rights;
  if (territories && territories.length > metadataLimits.territories)
    fail('territories', 'too many territories');
  territories?.forEach((code, i) => {
    if (!/^[A-Z]{2}$/.test(code)) fail(`territories/${i}`, 'a territory is two capital letters (ISO 3166-1)');
  });
  if (validFrom !== undefined && !isDay(validFrom)) fail('validFrom', 'a day is YYYY-MM-DD');
  if (validTo !== undefined && !isDay(validTo)) fail('validTo', 'a day is YYYY-MM-DD');
  if (validFrom !== undefined && validTo !== undefined && validTo < validFrom)
    fail('validTo', 'lies before validFrom');
  if (sharePct !== undefined && !(sharePct >= 0 && sharePct <= 100)) fail('sharePct', 'a share is 0 to 100');
  return {
    ...(owner !== undefined && { owner: readText(owner, `${pointer}/owner`) }),
    ...(licence !== undefined && { licence: readText(licence, `${pointer}/licence`) }),
    ...(territories && { territories: [...new Set(territories)] }),
    ...(validFrom !== undefined && { validFrom }),
    ...(validTo !== undefined && { validTo }),
    ...(sharePct !== undefined && { sharePct }),
  };
}

function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}
