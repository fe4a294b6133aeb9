import { seededRandom, type TrackId } from '@earmark/kernel';
import type { IndexChunk, IndexQuery } from '../port.js';
import { seededExcerpt, seededIds, seededQuery, seededTrack } from '../seeded-tracks.js';
import type { EmbeddedIndexOptions } from './embedded-index.js';

/** Frames of a track in the crash tests. */
const lengthFrames = 860;
/** Tracks that take turns. */
const trackCount = 8;

/** One write of the crash tests: a version of a track, or its removal. */
export type CrashStep = Readonly<{ trackId: TrackId; version?: number }>;

/** Writes that are under way at the same time. */
export const stepsAtOnce = 3;

/** The endless sequence of writes of a seed; any `stepsAtOnce` in a row are about different tracks. */
export function crashStep(seed: number, step: number): CrashStep {
  const random = seededRandom(seed * 7919 + step);
  const trackId = seededIds.track(1 + (step % trackCount));
  return random.next() < 0.3 ? { trackId } : { trackId, version: 1 + Math.floor(random.next() * 1e6) };
}

/** The tracks that the steps are about. */
export const crashTracks: readonly TrackId[] = Array.from({ length: trackCount }, (_, i) =>
  seededIds.track(1 + i),
);

/** How a version of a track sounds. */
export function crashChunks(trackId: TrackId, version: number): IndexChunk[] {
  return seededTrack(trackId, version, { lengthFrames });
}

/** The question that only this version answers. */
export function crashQuery(version: number): IndexQuery {
  return {
    ...seededQuery(version),
    landmarks: seededExcerpt(version, 200, 215, lengthFrames),
    lengthFrames: 215,
  };
}

/** So small that a few writes flush and merge. */
export const crashSettings: Pick<
  EmbeddedIndexOptions,
  'deltaLandmarks' | 'closingLandmarks' | 'mergePolicy'
> = {
  deltaLandmarks: 8000,
  closingLandmarks: 4000,
  mergePolicy: { deadShare: 0.3 },
};
