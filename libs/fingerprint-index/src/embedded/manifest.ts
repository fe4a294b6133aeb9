import * as fs from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { IndexConfigMismatchError, IndexCorruptError } from '../errors.js';
import type { DurableFiles } from './durable-files.js';
import { OrdinalSet } from './track-table.js';

const manifestFormatVersion = 1;
const fileName = 'MANIFEST';

/** Which files make up the index: replaced in one step, so that a crash leaves the old or the new one. */
export type Manifest = Readonly<{
  configId: string;
  /** Counts changes. */
  generation: number;
  /** Number for the next segment or log file. */
  nextFile: number;
  segments: readonly Readonly<{ name: string; dead: OrdinalSet }>[];
  /** Log files with this number and above hold what the segments do not. */
  firstLog: number;
  /** Highest outbox number in the segments. */
  appliedSequence: number;
}>;

/** Path of the manifest of an index folder. */
export function manifestPath(directory: string): string {
  return join(directory, fileName);
}

export function segmentName(number: number): string {
  return `segment-${String(number).padStart(8, '0')}.emfx`;
}

export function logName(number: number): string {
  return `log-${String(number).padStart(8, '0')}.emfl`;
}

/** Number in the name of a log file, undefined for other names. */
export function logNumber(name: string): number | undefined {
  const match = /^log-(\d{8,})\.emfl$/.exec(name);
  return match ? Number(match[1]) : undefined;
}

/** True for names that this index gives to files, the manifest and the lock apart. */
export function isIndexFile(name: string): boolean {
  return /^(segment-\d{8,}\.emfx|log-\d{8,}\.emfl|MANIFEST\.new)$/.test(name);
}

/**
 * @returns undefined when the folder holds no index yet
 * @throws {IndexCorruptError} when the manifest fails its check
 * @throws {IndexConfigMismatchError} for another format or configuration
 */
export function readManifest(directory: string, configId: string): Manifest | undefined {
  const path = manifestPath(directory);
  let text: string;
  try {
    text = fs.readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  const lineEnd = text.indexOf('\n');
  const body = text.slice(lineEnd + 1);
  if (lineEnd < 0 || text.slice(0, lineEnd) !== checksum(body)) {
    throw new IndexCorruptError(path, 0, 'checksum of the manifest');
  }
  // The checksum vouches for the shape: only writeManifest makes such a file.
  const parsed = JSON.parse(body) as ManifestFile;
  if (parsed.format !== manifestFormatVersion) {
    throw new IndexConfigMismatchError(
      path,
      `manifest format ${manifestFormatVersion}`,
      `format ${parsed.format}`,
    );
  }
  if (parsed.configId !== configId) throw new IndexConfigMismatchError(path, configId, parsed.configId);
  return {
    ...parsed,
    segments: parsed.segments.map(({ name, dead }) => ({
      name,
      dead: new OrdinalSet(new Uint8Array(Buffer.from(dead, 'base64'))),
    })),
  };
}

type ManifestFile = Omit<Manifest, 'segments'> & {
  format: number;
  segments: { name: string; dead: string }[];
};

/** Replaces the manifest; durable when this returns. */
export function writeManifest(directory: string, manifest: Manifest, files: DurableFiles): void {
  const content: ManifestFile = {
    format: manifestFormatVersion,
    ...manifest,
    segments: manifest.segments.map(({ name, dead }) => ({
      name,
      dead: Buffer.from(dead.size === 0 ? [] : dead.toBytes()).toString('base64'),
    })),
  };
  const body = JSON.stringify(content);
  const path = manifestPath(directory);
  const fresh = `${path}.new`;
  files.remove(fresh);
  const fd = files.open(fresh, 'wx');
  files.write(fd, Buffer.from(`${checksum(body)}\n${body}`), 0);
  files.sync(fd);
  files.close(fd);
  files.rename(fresh, path);
}

function checksum(body: string): string {
  return crc32(body).toString(16).padStart(8, '0');
}
