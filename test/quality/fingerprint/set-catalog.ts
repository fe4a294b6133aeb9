import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  fingerprintConfig,
  framesPerSecond,
  limitDensity,
  MemoryIndex,
  ReferenceCache,
  referencePeaks,
  type CandidateSource,
  type Peaks,
  type ReferencePeaks,
} from '@earmark/fingerprint';
import { openEmbeddedIndex } from '@earmark/fingerprint-index';
import type { TrackId } from '@earmark/kernel';
import { chunksOf, sourceOf } from '../../support/bench-tracks.ts';
import { peaksOf } from './peak-cache.ts';

/** A catalog of make_queries.py in memory: what searching and scanning it takes. */
export type SetCatalog = Readonly<{
  /** Peaks of every track as an index stores them. */
  tracks: ReadonlyMap<TrackId, Peaks>;
  index: MemoryIndex;
  peaks: { peaksOf: (id: TrackId) => Promise<Peaks | undefined> };
  references: ReferenceCache;
  hours: number;
}>;

/**
 * Fingerprints the catalog of query sets into an index in memory.
 *
 * @param music folder that the names in SETS/catalog.json are relative to
 * @param cache folder of {@link peaksOf}
 */
export function openSetCatalog(music: string, sets: string, cache: string): SetCatalog {
  // Written by make_queries.py.
  const { catalog } = JSON.parse(readFileSync(join(sets, 'catalog.json'), 'utf8')) as {
    catalog: { track: TrackId }[];
  };
  const index = new MemoryIndex();
  const tracks = new Map<TrackId, Peaks>();
  let frames = 0;
  for (const { track } of catalog) {
    const stored = storedPeaksOf(join(music, track), cache);
    tracks.set(track, stored);
    index.add(track, stored);
    frames += stored.lengthFrames;
  }
  const peaks = { peaksOf: (id: TrackId) => Promise.resolve(tracks.get(id)) };
  const references = new ReferenceCache(peaks, 10_000);
  return { tracks, index, peaks, references, hours: frames / framesPerSecond / 3600 };
}

/**
 * The catalog in segment files, rounded as they keep it; in a temporary folder until the process ends.
 */
export async function indexFilesOf({ tracks }: SetCatalog): Promise<CandidateSource> {
  const directory = mkdtempSync(join(tmpdir(), 'earmark-set-catalog-'));
  process.on('exit', () => {
    rmSync(directory, { recursive: true, force: true });
  });
  const index = await openEmbeddedIndex({ directory, mode: 'write' });
  for (const [track, peaks] of tracks) await index.add(chunksOf(track, peaks));
  await index.flush();
  await index.compact();
  return sourceOf(index);
}

/** Peaks of a recording at the density of an index. */
export function storedPeaksOf(path: string, cache: string): Peaks {
  return limitDensity(peaksOf(path, cache), fingerprintConfig.indexQuota);
}

/** Gives the stored peaks of tracks below a folder, prepared for comparison; each is prepared once. */
export function referencesOf(music: string, cache: string): (track: string) => ReferencePeaks {
  const known = new Map<string, ReferencePeaks>();
  return (track) => {
    const reference = known.get(track) ?? referencePeaks(storedPeaksOf(join(music, track), cache));
    known.set(track, reference);
    return reference;
  };
}

/**
 * Lines of JSON that an earlier run left, by key; none when there is no file. A line that was cut is left out.
 *
 * @param path file that one of these scripts writes
 */
export function earlierLines<T>(path: string, keyOf: (line: T) => string): Map<string, T> {
  const known = new Map<string, T>();
  if (!existsSync(path)) return known;
  for (const text of readFileSync(path, 'utf8').split('\n')) {
    if (!text.endsWith('}')) continue;
    const line = JSON.parse(text) as T;
    known.set(keyOf(line), line);
  }
  return known;
}
