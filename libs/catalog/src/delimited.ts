import { InvalidValueError } from '@earmark/kernel';

/** One record of a CSV file. `row` counts records from 1, the heading included. */
export type DelimitedRecord = Readonly<{ row: number; fields: readonly string[] }>;

/** Longest record that is read, in characters: a quote that is never closed must not take in the whole file. */
const maxRecordLength = 1_000_000;

/**
 * Reads comma-separated values: quoted fields with doubled quotes, line breaks inside quotes, CRLF or LF or CR, an
 * optional byte order mark, an optional line break at the end. Blank lines are skipped but counted.
 *
 * @param chunks text in pieces of any size
 * @throws {InvalidValueError} `import.bad-csv` with the row, for a quote that is never closed or text after one
 * @see RFC 4180
 */
export async function* readDelimited(
  chunks: AsyncIterable<string> | Iterable<string>,
  delimiter = ',',
): AsyncGenerator<DelimitedRecord> {
  let field = '';
  let fields: string[] = [];
  let row = 1;
  let length = 0;
  let state: 'start' | 'plain' | 'quoted' | 'quote-in-quoted' = 'start';
  let afterReturn = false;
  let isFirst = true;
  const fail = (what: string): never => {
    throw new InvalidValueError('import.bad-csv', `/rows/${row}`, `row ${row}: ${what}`);
  };
  const endField = (): void => {
    fields.push(field);
    field = '';
    state = 'start';
  };
  const endRecord = (): DelimitedRecord | undefined => {
    const isBlank = fields.length === 0 && field === '' && state === 'start';
    endField();
    const record = { row, fields };
    fields = [];
    length = 0;
    row++;
    return isBlank ? undefined : record;
  };
  for await (const chunk of chunks) {
    for (const character of isFirst && chunk.startsWith('\uFEFF') ? chunk.slice(1) : chunk) {
      if (++length > maxRecordLength) fail(`is longer than ${maxRecordLength} characters`);
      const isPairedFeed = afterReturn && character === '\n';
      afterReturn = false;
      if (isPairedFeed) continue;
      if (state === 'quoted') {
        if (character === '"') state = 'quote-in-quoted';
        else field += character;
      } else if (state === 'quote-in-quoted' && character === '"') {
        field += '"';
        state = 'quoted';
      } else if (character === delimiter) {
        endField();
      } else if (character === '\n' || character === '\r') {
        afterReturn = character === '\r';
        const record = endRecord();
        if (record) yield record;
      } else if (state === 'quote-in-quoted') {
        fail('text after a closing quote');
      } else if (character === '"' && state === 'start') {
        state = 'quoted';
      } else {
        field += character;
        state = 'plain';
      }
    }
    if (chunk !== '') isFirst = false;
  }
  if (state === 'quoted') fail('a quote is never closed');
  const last = endRecord();
  if (last) yield last;
}

/**
 * Cuts text into lines: LF or CRLF, an optional byte order mark.
 *
 * @returns lines without their ends, numbered from 1
 * @throws {InvalidValueError} `import.line-too-long` past a million characters
 */
export async function* readLines(
  chunks: AsyncIterable<string> | Iterable<string>,
): AsyncGenerator<Readonly<{ row: number; line: string }>> {
  let rest = '';
  let row = 1;
  for await (const chunk of chunks) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > maxRecordLength) {
      throw new InvalidValueError(
        'import.line-too-long',
        `/rows/${row}`,
        `row ${row + lines.length} is too long`,
      );
    }
    for (const line of lines) yield clean(line, row++);
  }
  if (rest !== '') yield clean(rest, row);
}

function clean(line: string, row: number): Readonly<{ row: number; line: string }> {
  const start = row === 1 && line.startsWith('\uFEFF') ? 1 : 0;
  return { row, line: line.endsWith('\r') ? line.slice(start, -1) : line.slice(start) };
}
