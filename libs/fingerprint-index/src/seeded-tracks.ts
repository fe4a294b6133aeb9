import {
  chunkRanges,
  indexLandmarks,
  queryLandmarks,
  slicePeaks,
  type Peaks,
  type QueryLandmarks,
} from '@earmark/fingerprint';
import { makeId, seededRandom, type CatalogId, type TenantId, type TrackId } from '@earmark/kernel';
import type { FingerprintIndex, IndexChunk, IndexQuery } from './port.js';

/** A made-up recording: peaks at random places, so that no two songs have anything in common. */
export function seededPeaks(seed: number, lengthFrames: number): Peaks {
  const random = seededRandom(seed);
  const count = Math.floor(lengthFrames * 0.6);
  const frames = Float32Array.from(
    { length: count },
    () => Math.round(random.next() * lengthFrames * 8) / 8,
  ).sort();
  return {
    frames,
    pitches: Float32Array.from(frames, () => Math.round(random.next() * 160 * 32) / 32),
    levels: Float32Array.from(frames, () => Math.floor(random.next() * 40)),
    ranks: Uint8Array.from(frames, () => Math.floor(random.next() * 5)),
    lengthFrames,
  };
}

/** Ids that depend on a number alone. */
export const seededIds = {
  tenant: (n: number): TenantId => makeId('tenant', n, new Uint8Array(10)),
  catalog: (n: number): CatalogId => makeId('catalog', n, new Uint8Array(10)),
  track: (n: number): TrackId => makeId('track', n, new Uint8Array(10)),
} as const;

/** All chunks of a made-up track; `seed` decides how it sounds. */
export function seededTrack(
  trackId: TrackId,
  seed: number,
  place: Readonly<{ tenantId?: TenantId; catalogId?: CatalogId; lengthFrames?: number }> = {},
): IndexChunk[] {
  const peaks = seededPeaks(seed, place.lengthFrames ?? 4300);
  return chunkRanges(peaks.lengthFrames).map((range, chunk) => ({
    tenantId: place.tenantId ?? seededIds.tenant(1),
    catalogId: place.catalogId ?? seededIds.catalog(1),
    trackId,
    chunk,
    startFrame: range.start,
    landmarks: indexLandmarks(peaks, range),
  }));
}

/** The hashes of an excerpt of the song with this seed. */
export function seededExcerpt(
  seed: number,
  startFrame: number,
  frames = 430,
  lengthFrames = 4300,
): QueryLandmarks {
  return queryLandmarks(slicePeaks(seededPeaks(seed, lengthFrames), startFrame, startFrame + frames), {
    triples: { quota: 5, fanOut: 6, margin: 0.1, pitchReach: 0.5, tempoReach: 0.01 },
  });
}

/** The question that finds the song with this seed. */
export function seededQuery(
  seed: number,
  options: Partial<IndexQuery> & { startFrame?: number } = {},
): IndexQuery {
  const { startFrame = 1000, ...rest } = options;
  return {
    tenantId: seededIds.tenant(1),
    landmarks: seededExcerpt(seed, startFrame),
    lengthFrames: 430,
    ...rest,
  };
}

/** Evidence above which a candidate is no chance: made-up songs share a few landmarks at most. */
export const certainEvidence = 20;

/** Ids of the candidates that are no chance, best first. */
export async function certainTracks(index: FingerprintIndex, query: IndexQuery): Promise<TrackId[]> {
  const found = await index.candidates(query, 10);
  return found.filter(({ evidence }) => evidence >= certainEvidence).map(({ trackId }) => trackId);
}
