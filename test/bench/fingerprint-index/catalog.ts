import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  fingerprintConfig,
  framesPerSecond,
  limitDensity,
  type Peaks,
  type PeakSource,
} from '@earmark/fingerprint';
import type { IndexChunk } from '@earmark/fingerprint-index';
import type { TrackId } from '@earmark/kernel';
import { chunksOf, trackIdOf } from '../../support/bench-tracks.ts';
import { peaksOf } from '../../quality/fingerprint/peak-cache.ts';
import { madeUpFrames, madeUpPeaks } from './made-up.ts';
import type { Music } from './music.ts';

/** One clip of a query set: `n` is the number of its track in the catalog, absent for a negative. */
export type SetQuery = Readonly<{ set: string; peaks: Peaks; n?: number; startFrames: number }>;

/** Where make_queries.py read music and wrote clips, and where peaks of both are kept. */
export type SetFolders = Readonly<{ music: string; sets: string; cache: string }>;

type CatalogFile = Readonly<{ catalog: readonly Readonly<{ track: string }>[] }>;
type TruthRow = Readonly<{ id: string; set: string; track: string | null; ref_start?: number }>;

/** A catalog whose first tracks exist and whose others are made up from music, each by its number alone. */
export class BenchCatalog implements PeakSource {
  private readonly numbers = new Map<TrackId, number>();
  private readonly known = new Map<number, Peaks>();

  /** Real tracks, query density. */
  readonly real: readonly Peaks[];
  private readonly base: readonly Peaks[];

  constructor(real: readonly Peaks[], base: readonly Peaks[]) {
    this.real = real;
    this.base = base;
  }

  /** The real tracks of query sets, or the music itself where there are none. */
  static open(music: readonly Music[], sets: readonly SetFolders[]): BenchCatalog {
    const base = music.map(({ peaks }) => peaks);
    return new BenchCatalog(sets.length === 0 ? base : sets.flatMap(realTracks), base);
  }

  /** Peaks of the nth track. */
  peaksAt(n: number): Peaks {
    return n < this.real.length ? this.real[n] : madeUpPeaks(this.base, n);
  }

  /** Seconds of the nth track. */
  secondsAt(n: number): number {
    const frames = n < this.real.length ? this.real[n].lengthFrames : madeUpFrames(this.base, n);
    return frames / framesPerSecond;
  }

  /** What the index stores of the nth track. */
  chunksAt(n: number): IndexChunk[] {
    return chunksOf(trackIdOf(n), limitDensity(this.peaksAt(n), fingerprintConfig.indexQuota));
  }

  /** Tells the catalog how many tracks are in the index, so that it finds their peaks. */
  announce(tracks: number): void {
    for (let n = this.numbers.size; n < tracks; n++) this.numbers.set(trackIdOf(n), n);
  }

  /** Number of an announced track, -1 for others. */
  numberOf(trackId: TrackId): number {
    return this.numbers.get(trackId) ?? -1;
  }

  peaksOf(trackId: TrackId): Promise<Peaks | undefined> {
    const n = this.numbers.get(trackId);
    if (n === undefined) return Promise.resolve(undefined);
    let peaks = this.known.get(n);
    if (!peaks) {
      peaks = limitDensity(this.peaksAt(n), fingerprintConfig.indexQuota);
      this.known.set(n, peaks);
    }
    return Promise.resolve(peaks);
  }
}

function read<T>(folder: string, name: string): T {
  // Written by make_queries.py.
  return JSON.parse(readFileSync(join(folder, name), 'utf8')) as T;
}

function realTracks({ music, sets, cache }: SetFolders): Peaks[] {
  return read<CatalogFile>(sets, 'catalog.json').catalog.map(({ track }) =>
    peaksOf(join(music, track), cache),
  );
}

/**
 * Clips of several query sets whose catalogs stand one after the other at the start of a catalog.
 *
 * @param keep which clips to take
 */
export function readQueries(
  folders: readonly SetFolders[],
  keep: (set: string, ordinal: number, isNegative: boolean) => boolean,
): SetQuery[] {
  let first = 0;
  return folders.flatMap((folder) => {
    const tracks = read<CatalogFile>(folder.sets, 'catalog.json').catalog.map(({ track }) => track);
    const numbers = new Map(tracks.map((track, i) => [track, first + i]));
    first += tracks.length;
    return read<readonly TruthRow[]>(folder.sets, 'truth.json').flatMap((row) => {
      const ordinal = Number(/(\d+)\.\w+$/.exec(row.id)?.[1]);
      if (!keep(row.set, ordinal, row.track === null)) return [];
      const n = row.track === null ? undefined : numbers.get(row.track);
      return [
        {
          set: row.set,
          peaks: peaksOf(join(folder.sets, row.id), folder.cache),
          startFrames: (row.ref_start ?? 0) * framesPerSecond,
          ...(n === undefined ? {} : { n }),
        },
      ];
    });
  });
}
