import type { TrackId } from '@earmark/kernel';
import { fingerprintConfig } from './config.js';
import type { QueryLandmarks } from './landmarks.js';
import type { Peaks } from './peaks.js';

/** Cents in one pitch step. */
export const centsPerStep = 1200 / fingerprintConfig.stepsPerOctave;

/** A place that an index proposes; the shape of the index port's candidate. */
export type Candidate = Readonly<{
  trackId: TrackId;
  /** Ordinal of the chunk that the place lies in. */
  chunk: number;
  /** Landmarks that agree. */
  evidence: number;
  /** Track frame that sounds at the query's frame 0. Absent: the adapter knows the chunk only. */
  offsetFrames?: number;
  /** Reference frames per query frame. */
  speed?: number;
  /** Query pitch above reference, in cents. */
  pitchCents?: number;
}>;

/** Where places come from: an index, bound to a tenant and its catalogs. */
export interface CandidateSource {
  /**
   * Proposes at most `k` places, strongest evidence first.
   *
   * @param postingBudget postings that the question may read, about; a large index leaves out the most frequent hashes
   */
  candidates(
    landmarks: QueryLandmarks,
    lengthFrames: number,
    k: number,
    postingBudget?: number,
  ): Promise<readonly Candidate[]>;
}

/** Where stored peaks come from. */
export interface PeakSource {
  /** Peaks of a track at index density; absent when the track is gone. */
  peaksOf(trackId: TrackId): Promise<Peaks | undefined>;
}
