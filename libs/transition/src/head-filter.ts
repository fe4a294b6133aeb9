import type { CatalogId, TrackId } from '@earmark/kernel';

/** What a search may know of an entry point before its track is read. */
export type HeadFacts = Readonly<{
  trackId: TrackId;
  catalogId: CatalogId;
  /** Absent: no sure beat. */
  tempoBpm: number | undefined;
  atMs: number;
}>;

/** Which entry points count in a search; what is absent admits all. */
export type HeadFilter = Readonly<{
  /** Empty: every catalog. */
  catalogIds?: readonly CatalogId[];
  /** Beats a minute, limits included; half and double tempo count as well. Tracks without a sure beat are left out. */
  tempoBpm?: Readonly<{ min: number; max: number }>;
  /** Latest place in the track, ms. */
  latestMs?: number;
  /** Tracks that are left out. */
  without?: ReadonlySet<TrackId>;
  /** Only these tracks are looked at. */
  only?: readonly TrackId[];
}>;

/** What a tempo may be multiplied by to lie in a band. */
export const tempoOctaves = [1, 2, 0.5] as const;

/** Bands of tempo that a filter admits, as pairs of lowest and highest: its own, and those of half and double tempo. */
export function tempoBands({ min, max }: NonNullable<HeadFilter['tempoBpm']>): Float64Array {
  return Float64Array.from(tempoOctaves.flatMap((octave) => [min / octave, max / octave]));
}

/** Whether a tempo lies in one of the bands; NaN lies in none. */
export function isInBands(bpm: number, bands: Float64Array): boolean {
  for (let i = 0; i < bands.length; i += 2) if (bpm >= bands[i] && bpm <= bands[i + 1]) return true;
  return false;
}
