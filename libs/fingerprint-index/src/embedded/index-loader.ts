import * as fs from 'node:fs';
import { join } from 'node:path';
import { IndexCorruptError } from '../errors.js';
import { IndexState, LiveSegment } from './index-state.js';
import { logName, logNumber, readManifest, type Manifest } from './manifest.js';
import type { PageCache } from './page-cache.js';
import { SegmentReader } from './segment-reader.js';
import { readLog } from './write-ahead-log.js';

/** An index folder as it was read: its state, and where its log goes on. */
export type LoadedIndex = Readonly<{
  manifest: Manifest;
  state: IndexState;
  /** Number of the last log file and the offset after its last complete group (0: not even a header). */
  log: Readonly<{ number: number; end: number }>;
}>;

/**
 * Reads manifest, segments and log of a folder.
 *
 * @param reuse open readers by file name, which are retained instead of opened again
 * @returns undefined when there is no index
 * @throws {IndexCorruptError} naming the damaged file
 * @throws {IndexConfigMismatchError} when it was made by another configuration
 */
export function loadIndex(
  directory: string,
  configId: string,
  cache: PageCache,
  reuse: ReadonlyMap<string, SegmentReader>,
): LoadedIndex | undefined {
  const manifest = readManifest(directory, configId);
  if (!manifest) return undefined;
  const state = new IndexState();
  try {
    for (const { name, dead } of manifest.segments) {
      const path = join(directory, name);
      const reader = sameFile(reuse.get(name), path)?.retain() ?? openSegment(path, configId, cache);
      state.open(new LiveSegment(reader, dead));
    }
    state.appliedSequence = manifest.appliedSequence;
    const log = followLog(directory, configId, { number: manifest.firstLog, end: 0 }, state);
    return { manifest, state, log };
  } catch (error) {
    closeSegments(state);
    throw error;
  }
}

/** The reader, unless an index that was made anew has another file of that name. */
function sameFile(reader: SegmentReader | undefined, path: string): SegmentReader | undefined {
  return fs.statSync(path, { throwIfNoEntry: false })?.ino === reader?.inode ? reader : undefined;
}

function openSegment(path: string, configId: string, cache: PageCache): SegmentReader {
  try {
    return SegmentReader.open(path, configId, cache);
  } catch (error) {
    if (isMissing(error)) throw new IndexCorruptError(path, 0, 'it is missing', { cause: error });
    throw error;
  }
}

/**
 * Applies what the log holds after a point, this file and those after it.
 *
 * @throws {IndexCorruptError} when a file is damaged or missing, or an earlier one ends in the middle of a group
 */
export function followLog(
  directory: string,
  configId: string,
  from: LoadedIndex['log'],
  state: IndexState,
): LoadedIndex['log'] {
  const numbers = logNumbers(directory).filter((number) => number >= from.number);
  if (numbers[0] !== from.number) {
    throw new IndexCorruptError(join(directory, logName(from.number)), 0, 'it is missing');
  }
  let at = from;
  for (const number of numbers) {
    const path = join(directory, logName(number));
    const end = readLog(path, configId, number === from.number ? from.end : 0, (operation) =>
      state.apply(operation),
    );
    if (number !== numbers.at(-1) && end !== fs.statSync(path).size) {
      throw new IndexCorruptError(path, end, 'it ends in the middle of a group');
    }
    at = { number, end };
  }
  return at;
}

/** Numbers of the log files in a folder, ascending. */
export function logNumbers(directory: string): number[] {
  return fs
    .readdirSync(directory)
    .flatMap((name) => logNumber(name) ?? [])
    .sort((a, b) => a - b);
}

/** Lets go of all segment files of a state. */
export function closeSegments(state: IndexState): void {
  for (const segment of state.segments) segment.reader.release();
}

/** True for the error that the file system gives for a name that does not exist. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
