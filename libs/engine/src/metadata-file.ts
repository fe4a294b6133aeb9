import { type ImportFieldError, readMetadata } from '@earmark/catalog';
import { DomainError } from '@earmark/kernel';
import type { IngestMetadata } from '@earmark/monitoring';
import { createReadStream } from 'node:fs';
import { dirname, extname, resolve } from 'node:path';

/** A metadata file with rows that cannot be taken; nothing was ingested. */
export class MetadataFileError extends DomainError {
  readonly code = 'import.bad-rows';

  constructor(
    readonly path: string,
    readonly errors: readonly ImportFieldError[],
  ) {
    const shown = errors
      .slice(0, 20)
      .map(({ row, field, title }) => `\n  row ${row}${field && `, ${field}`}: ${title}`);
    const rest = errors.length > 20 ? `\n  and ${errors.length - 20} more` : '';
    super(`${path}: ${errors.length} problem(s)${shown.join('')}${rest}`);
  }
}

/**
 * Reads descriptions for files to ingest.
 *
 * @param path `.csv`, or JSON lines with any other ending; its `path` column is relative to the file's own folder
 * @returns descriptions by absolute path
 * @throws {MetadataFileError} that names every bad row
 * @throws {InvalidValueError} `import.*` if the file as a whole cannot be read
 */
export async function readMetadataFile(path: string): Promise<ReadonlyMap<string, IngestMetadata>> {
  const format = extname(path).toLowerCase() === '.csv' ? 'csv' : 'jsonl';
  const chunks = createReadStream(path, { encoding: 'utf8' }) as AsyncIterable<string>;
  const found = new Map<string, IngestMetadata>();
  const errors: ImportFieldError[] = [];
  for await (const row of readMetadata(chunks, format)) {
    if (row.errors !== undefined) errors.push(...row.errors);
    else if (row.path === undefined) {
      errors.push({
        row: row.row,
        field: 'path',
        code: 'import.no-path',
        title: 'no path says which file this is',
      });
    } else found.set(resolve(dirname(path), row.path), row.metadata);
  }
  if (errors.length > 0) throw new MetadataFileError(path, errors);
  return found;
}
