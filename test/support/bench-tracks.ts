import {
  chunkRanges,
  framesPerSecond,
  indexLandmarks,
  slicePeaks,
  type CandidateSource,
  type Peaks,
} from '@earmark/fingerprint';
import type { FingerprintIndex, IndexChunk } from '@earmark/fingerprint-index';
import { makeId, type Random, type TrackId } from '@earmark/kernel';

const noBytes = new Uint8Array(10);
/** Tenant and catalog of everything in a bench. */
export const tenantId = makeId('tenant', 1, noBytes);
export const catalogId = makeId('catalog', 1, noBytes);

/** Identity of the nth track of a catalog, from 0. */
export const trackIdOf = (n: number): TrackId => makeId('track', n + 1, noBytes);

/** One chunk of a track, from its peaks at index density; undefined past its end. */
export function chunkOf(trackId: TrackId, peaks: Peaks, chunk: number): IndexChunk | undefined {
  const range = chunkRanges(peaks.lengthFrames)[chunk];
  if (range === undefined) return undefined;
  const landmarks = indexLandmarks(peaks, range);
  return { tenantId, catalogId, trackId, chunk, startFrame: range.start, landmarks };
}

/** All chunks of a track, from its peaks at index density. */
export function chunksOf(trackId: TrackId, peaks: Peaks): IndexChunk[] {
  return chunkRanges(peaks.lengthFrames).flatMap((_, chunk) => chunkOf(trackId, peaks, chunk) ?? []);
}

/** The bench's tracks in an index, as a search asks for them. */
export function sourceOf(index: FingerprintIndex): CandidateSource {
  return {
    candidates: (landmarks, lengthFrames, k, postingBudget) =>
      index.candidates({ tenantId, landmarks, lengthFrames, ...(postingBudget && { postingBudget }) }, k),
  };
}

/** A 10 s excerpt of a track, a third of whose peaks were moved to random times; and the frame where it starts. */
export function noisyExcerpt(peaks: Peaks, random: Random): { query: Peaks; start: number } {
  const frames = Math.round(10 * framesPerSecond);
  const start = Math.floor(random.next() * Math.max(1, peaks.lengthFrames - frames));
  const slice = slicePeaks(peaks, start, start + frames);
  const moved = slice.frames.map((frame) => (random.next() < 0.3 ? random.next() * frames : frame));
  const order = Array.from(moved.keys()).sort((a, b) => moved[a] - moved[b]);
  const query = {
    frames: Float32Array.from(order, (i) => moved[i]),
    pitches: Float32Array.from(order, (i) => slice.pitches[i]),
    levels: Float32Array.from(order, (i) => slice.levels[i]),
    ranks: Uint8Array.from(order, (i) => slice.ranks[i]),
    lengthFrames: frames,
  };
  return { query, start };
}
