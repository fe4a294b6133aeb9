import { InvalidValueError } from '@earmark/kernel';
import { readDelimited, readLines } from './delimited.js';
import { normaliseIsrc } from './identifiers.js';
import { readArtists, readRefs, readRights, readText } from './metadata-rules.js';
import type { TrackMetadata, TrackRef } from './track.js';

/** Formats of a metadata file. */
export type ImportFormat = 'csv' | 'jsonl';

/**
 * Which column (CSV) or member (JSONL) holds which field. Targets: `path`, `title`, `artist` (one name), `artists`
 * (several, separated by `;`), `isrc`, `explicit` (`true` or `false`), `ref:NAMESPACE`, and `rights.owner`, `rights.licence`, `rights.territories`
 * (separated by spaces), `rights.validFrom`, `rights.validTo`, `rights.sharePct`. Default: columns named like fields.
 */
export type ImportMapping = Readonly<Record<string, string>>;

/** What is wrong in one field of one row. */
export type ImportFieldError = Readonly<{
  /** Row of the file, from 1; a CSV's heading is row 1. */
  row: number;
  /** Column or member as the file names it. */
  field: string;
  code: string;
  title: string;
}>;

/** One row of a metadata file: its description, or what is wrong with it. */
export type ImportRow =
  | Readonly<{ row: number; path?: string; metadata: TrackMetadata; errors?: undefined }>
  | Readonly<{ row: number; errors: readonly ImportFieldError[] }>;

const plainTargets = new Set([
  ...['path', 'title', 'artist', 'artists', 'isrc', 'explicit'],
  ...['owner', 'licence', 'territories', 'validFrom', 'validTo', 'sharePct'].map((name) => `rights.${name}`),
]);

/** Finds the target of a column: by the mapping, else by its own name; absent = the column is not used. */
function targetOf(column: string, mapping: ImportMapping): string | undefined {
  const name = column.trim();
  const target = Object.hasOwn(mapping, name) ? mapping[name] : name;
  if (target === undefined) return undefined;
  if (plainTargets.has(target) || target.startsWith('ref:')) return target;
  if (Object.hasOwn(mapping, name)) {
    throw new InvalidValueError(
      'import.bad-mapping',
      `/mapping/${name}`,
      `"${target}" is no field of a track`,
    );
  }
  return undefined;
}

/**
 * Reads the descriptions in a metadata file, row by row; a bad field spoils its row only.
 *
 * @param chunks text in pieces of any size
 * @throws {InvalidValueError} `import.bad-mapping`, `import.no-columns`, `import.bad-csv`, `import.line-too-long`
 */
export async function* readMetadata(
  chunks: AsyncIterable<string> | Iterable<string>,
  format: ImportFormat,
  mapping: ImportMapping = {},
): AsyncGenerator<ImportRow> {
  if (format === 'csv') yield* readCsv(chunks, mapping);
  else yield* readJsonLines(chunks, mapping);
}

async function* readCsv(
  chunks: AsyncIterable<string> | Iterable<string>,
  mapping: ImportMapping,
): AsyncGenerator<ImportRow> {
  let columns: readonly Readonly<{ name: string; target: string | undefined }>[] | undefined;
  for await (const { row, fields } of readDelimited(chunks)) {
    if (!columns) {
      columns = fields.map((name) => ({ name: name.trim(), target: targetOf(name, mapping) }));
      if (!columns.some((column) => column.target !== undefined)) {
        throw new InvalidValueError(
          'import.no-columns',
          '/rows/1',
          'no column of the heading is a field of a track',
        );
      }
      continue;
    }
    if (fields.length !== columns.length) {
      const title = `${fields.length} fields, the heading has ${columns.length}`;
      yield { row, errors: [{ row, field: '', code: 'import.field-count', title }] };
      continue;
    }
    const values = columns.map(({ name, target }, i) => ({ field: name, target, value: fields[i] ?? '' }));
    yield readRow(row, values);
  }
  if (!columns) throw new InvalidValueError('import.no-columns', '/rows/1', 'the file is empty');
}

async function* readJsonLines(
  chunks: AsyncIterable<string> | Iterable<string>,
  mapping: ImportMapping,
): AsyncGenerator<ImportRow> {
  for await (const { row, line } of readLines(chunks)) {
    if (line.trim() === '') continue;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      yield { row, errors: [{ row, field: '', code: 'import.bad-json', title: 'the line is no JSON' }] };
      continue;
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      yield {
        row,
        errors: [{ row, field: '', code: 'import.bad-json', title: 'the line is no JSON object' }],
      };
      continue;
    }
    yield readRow(row, flatten(value, mapping));
  }
}

type Cell = Readonly<{ field: string; target: string | undefined; value: unknown }>;

/** Brings `rights` and `refs` of a JSON object into the same one-level form as columns. */
function flatten(object: object, mapping: ImportMapping): readonly Cell[] {
  const cells: Cell[] = [];
  for (const [name, value] of Object.entries(object) as [string, unknown][]) {
    if (name === 'rights' && typeof value === 'object' && value !== null) {
      for (const [inner, part] of Object.entries(value) as [string, unknown][]) {
        const target = plainTargets.has(`rights.${inner}`) ? `rights.${inner}` : undefined;
        cells.push({ field: `rights.${inner}`, target, value: part });
      }
    } else if (name === 'refs') {
      cells.push({ field: name, target: 'refs', value });
    } else {
      cells.push({ field: name, target: targetOf(name, mapping), value });
    }
  }
  return cells;
}

type Draft = {
  path?: string;
  title?: string;
  artists: string[];
  isrc?: string;
  refs: TrackRef[];
  rights: Record<string, unknown>;
  explicit?: boolean;
};

function readRow(row: number, cells: readonly Cell[]): ImportRow {
  const errors: ImportFieldError[] = [];
  const draft: Draft = { artists: [], refs: [], rights: {} };
  for (const { field, target, value } of cells) {
    if (target === undefined || value === null || value === undefined || value === '') continue;
    try {
      readCell(draft, target, value);
    } catch (error) {
      if (!(error instanceof InvalidValueError)) throw error;
      errors.push({ row, field, code: error.code, title: error.message });
    }
  }
  let metadata: TrackMetadata | undefined;
  try {
    metadata = {
      ...(draft.title !== undefined && { title: draft.title }),
      artists: readArtists(draft.artists, '/artists'),
      ...(draft.isrc !== undefined && { isrc: draft.isrc }),
      refs: readRefs(draft.refs, '/refs'),
      ...(Object.keys(draft.rights).length > 0 && {
        rights: readRights(draft.rights, '/rights'),
      }),
      ...(draft.explicit !== undefined && { explicit: draft.explicit }),
    };
  } catch (error) {
    if (!(error instanceof InvalidValueError)) throw error;
    errors.push({
      row,
      field: error.pointer.slice(1).replaceAll('/', '.'),
      code: error.code,
      title: error.message,
    });
  }
  if (errors.length > 0 || !metadata) return { row, errors };
  return { row, metadata, ...(draft.path !== undefined && { path: draft.path }) };
}

function readCell(draft: Draft, target: string, value: unknown): void {
  if (target.startsWith('ref:')) {
    draft.refs.push({ namespace: target.slice(4), value: text(value) });
    return;
  }
  switch (target) {
    case 'path':
      draft.path = text(value);
      break;
    case 'title':
      draft.title = readText(text(value), '/title');
      break;
    case 'artist':
      draft.artists.push(text(value));
      break;
    case 'artists':
      draft.artists.push(...list(value, ';'));
      break;
    case 'isrc':
      draft.isrc = normaliseIsrc(text(value));
      break;
    case 'explicit':
      draft.explicit = flag(value);
      break;
    case 'refs':
      draft.refs.push(...refs(value));
      break;
    case 'rights.territories':
      draft.rights['territories'] = list(value, /\s+/);
      break;
    case 'rights.sharePct':
      draft.rights['sharePct'] = number(value);
      break;
    default:
      draft.rights[target.slice('rights.'.length)] = text(value);
  }
}

function text(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  throw new InvalidValueError('import.bad-type', '', 'is no text');
}

function number(value: unknown): number {
  const result = typeof value === 'string' ? Number(value) : value;
  if (typeof result === 'number' && Number.isFinite(result)) return result;
  throw new InvalidValueError('import.bad-type', '', 'is no number');
}

function flag(value: unknown): boolean {
  if (value === true || value === 'true') return true;
  if (value === false || value === 'false') return false;
  throw new InvalidValueError('import.bad-type', '', 'is neither true nor false');
}

function list(value: unknown, separator: string | RegExp): string[] {
  if (Array.isArray(value)) return value.map(text);
  return text(value)
    .split(separator)
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** `[{"namespace","value"}]`, or `{"namespace": "value"}`. */
function refs(value: unknown): TrackRef[] {
  if (typeof value !== 'object' || value === null) {
    throw new InvalidValueError('import.bad-type', '', 'is neither a list nor an object of references');
  }
  if (!Array.isArray(value)) {
    return Object.entries(value).map(([namespace, one]) => ({ namespace, value: text(one) }));
  }
  return value.map((entry: unknown) => {
    const { namespace, value: one } = Object(entry) as Readonly<Record<string, unknown>>;
    return { namespace: text(namespace), value: text(one) };
  });
}
