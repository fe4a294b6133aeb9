import { CustomSource } from 'mediabunny';
import { DecodeFailedError } from './media-error.js';
import type { MediaFile } from './media-file.js';
import { readAt } from './read-at.js';

/** Far more than any healthy file needs from one audio packet to the next. */
const readsBetweenPackets = 1_000_000;

/** Bytes of a file for mediabunny, by positional reads, with an end to loops over damaged files. */
export type GuardedSource = Readonly<{
  source: CustomSource;
  /** Tells that a packet came: the count of reads starts again. */
  progress(): void;
}>;

type Reading = { _read?: (...range: unknown[]) => unknown };

/**
 * Wraps a file for mediabunny, whose demuxers can read the same bytes for ever in damaged files (1.61: Matroska, where
 * nothing follows a broken cluster). Its internal read is counted, because cached bytes never reach the public callback.
 */
export function guardedSource(file: MediaFile): GuardedSource {
  const source = new CustomSource({
    getSize: () => file.bytes - file.offset,
    read: (start, end) => readAt(file.handle, file.offset + start, end - start),
    maxCacheSize: 4 * 1_048_576,
    prefetchProfile: 'fileSystem',
    // Errors of reads ahead that nobody waits for; the read that needs those bytes fails again.
    handleUnhandledError: () => undefined,
  });
  let reads = 0;
  const reading = source as unknown as Reading;
  const read = reading._read;
  if (typeof read !== 'function') throw new TypeError('this version of mediabunny reads in another way');
  reading._read = (...range) => {
    if (++reads > readsBetweenPackets) throw new DecodeFailedError('the demuxer makes no progress');
    return read.apply(source, range);
  };
  return { source, progress: () => (reads = 0) };
}
