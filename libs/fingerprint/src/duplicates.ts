import type { TrackId } from '@earmark/kernel';
import type { CandidateSource } from './candidate.js';
import { slicePeaks, type Peaks } from './peaks.js';
import { QueryRaster, referencePeaks, type ReferencePeaks } from './query-raster.js';
import { queryLandmarks } from './query-landmarks.js';
import { ReferenceCache, type SearchSources } from './search.js';
import { searchLevels } from './search-levels.js';
import { verify } from './verification.js';

/** What makes two recordings the same: contracts.md, `earmark ingest`. */
export const duplicateRule = {
  /** Least share of the longer duration that holds the same audio. */
  coverage: 0.95,
  /** Largest difference of speed. */
  speed: 0.002,
} as const;

/** How much of two recordings is the same audio at one offset. */
export type Sameness = Readonly<{
  /** Share of the longer duration that agrees, 0..1. */
  coverage: number;
  /** Frame of the second recording that sounds at frame 0 of the first. */
  offsetFrames: number;
  /** Frames of the second per frame of the first. */
  speed: number;
}>;

/** A track that holds the same recording. */
export type Duplicate = Sameness & Readonly<{ trackId: TrackId }>;

/** Windows compared one by one: frames (5 s). */
const windowFrames = 220;
/** Agreement of a window from which it is the same audio. */
const sameWindow = { z: 4, share: 0.3 } as const;
/** Reference peaks below which a window is too empty to judge; it counts as the same when both are so. */
const emptyWindow = 8;
/** Frames by which a window may be off the common line. */
const lineTolerance = 3;

/**
 * Compares two recordings from start to end at about equal speed.
 *
 * @param offsetFrames where to start looking: frame of `b` that sounds at frame 0 of `a`
 */
export function compareRecordings(
  a: Peaks,
  b: Peaks,
  offsetFrames: number,
  prepared?: ReferencePeaks,
): Sameness {
  const reference = prepared ?? referencePeaks(b);
  const longest = Math.max(a.lengthFrames, b.lengthFrames);
  const windows: { middle: number; offset: number; same: boolean; empty: boolean; length: number }[] = [];
  let offset = offsetFrames;
  for (let start = 0; start < a.lengthFrames; start += windowFrames) {
    const query = slicePeaks(a, start, Math.min(a.lengthFrames, start + windowFrames));
    const raster = QueryRaster.ofQuery(query);
    const line = verify(raster, reference, { offset: offset + start, speed: 1, pitch: 0 }, true);
    const empty = line.expected < emptyWindow && query.frames.length < emptyWindow * 3;
    const same = line.z >= sameWindow.z && line.share >= sameWindow.share;
    if (same && Math.abs(line.offset - start - offset) <= lineTolerance) offset = line.offset - start;
    windows.push({
      middle: start + query.lengthFrames / 2,
      offset: line.offset - start,
      same,
      empty,
      length: query.lengthFrames,
    });
  }
  const drift = slopeOf(windows.filter((window) => window.same));
  const inLine = windows.filter(
    (window) =>
      window.empty ||
      (window.same && Math.abs(window.offset - drift.offset - drift.slope * window.middle) <= lineTolerance),
  );
  const covered = inLine.reduce((sum, window) => sum + window.length, 0);
  return { coverage: Math.min(1, covered / longest), offsetFrames: drift.offset, speed: 1 + drift.slope };
}

/** Whether two recordings count as one. */
export function isDuplicate(sameness: Sameness): boolean {
  return sameness.coverage >= duplicateRule.coverage && Math.abs(sameness.speed - 1) <= duplicateRule.speed;
}

/**
 * Looks for a track that is the same recording, in another encoding or at another level.
 *
 * @param peaks of the whole new recording
 */
export async function findDuplicate(peaks: Peaks, sources: SearchSources): Promise<Duplicate | undefined> {
  const references = sources.references ?? new ReferenceCache(sources.peaks);
  let best: Duplicate | undefined;
  for (const { trackId, offsets } of await likelyTwins(peaks, sources.index)) {
    const track = await sources.peaks.peaksOf(trackId);
    const reference = await references.get(trackId);
    if (!track || !reference) continue;
    const ratio =
      Math.min(track.lengthFrames, peaks.lengthFrames) / Math.max(track.lengthFrames, peaks.lengthFrames);
    if (ratio < duplicateRule.coverage) continue;
    for (const offset of offsets) {
      const sameness = compareRecordings(peaks, track, offset, reference);
      if (!isDuplicate(sameness)) continue;
      if (sameness.coverage > (best?.coverage ?? 0)) best = { trackId, ...sameness };
      break;
    }
  }
  return best;
}

/** Places in the recording that are looked up, as shares of its duration. */
const probes = [0.12, 0.3, 0.5, 0.7, 0.88];
const probeFrames = 440;
/** Tracks that are compared from start to end. */
const mostCompared = 3;
/** Offsets tried for each, besides 0; music that repeats itself gives several. */
const mostOffsets = 2;
/** Places looked at for each probe. */
const probeCandidates = 16;

/** A track that may be the same recording, with the offsets to try. */
type LikelyTwin = Readonly<{ trackId: TrackId; offsets: readonly number[] }>;

/** Tracks that the probes name at nominal speed and small offset, most named first. */
async function likelyTwins(peaks: Peaks, index: CandidateSource): Promise<readonly LikelyTwin[]> {
  const named = new Map<TrackId, { evidence: number; offsets: Map<number, number> }>();
  const level = searchLevels[1];
  const farthest = (1 - duplicateRule.coverage) * peaks.lengthFrames + 2 * lineTolerance;
  for (const share of probes) {
    const start = Math.max(0, Math.round(share * peaks.lengthFrames - probeFrames / 2));
    const query = slicePeaks(peaks, start, start + probeFrames);
    const landmarks = queryLandmarks(query, level.depth);
    for (const found of await index.candidates(landmarks, query.lengthFrames, probeCandidates)) {
      const speed = found.speed ?? 1;
      if (Math.abs(speed - 1) > 0.015 || Math.abs(found.pitchCents ?? 0) > 25) continue;
      const twin = named.get(found.trackId) ?? { evidence: 0, offsets: new Map<number, number>() };
      named.set(found.trackId, twin);
      twin.evidence += found.evidence;
      const offset = Math.round(
        (found.offsetFrames ?? start) + ((speed - 1) * query.lengthFrames) / 2 - start,
      );
      if (Math.abs(offset) <= farthest)
        twin.offsets.set(offset, (twin.offsets.get(offset) ?? 0) + found.evidence);
    }
  }
  return [...named]
    .sort(([, a], [, b]) => b.evidence - a.evidence)
    .slice(0, mostCompared)
    .map(([trackId, { offsets }]) => {
      const likely = [...offsets].sort(([, a], [, b]) => b - a).map(([offset]) => offset);
      return { trackId, offsets: [...likely.slice(0, mostOffsets), 0] };
    });
}

/** Straight line through the windows' offsets, from the medians of both halves. */
function slopeOf(windows: readonly { middle: number; offset: number }[]): { slope: number; offset: number } {
  if (windows.length === 0) return { slope: 0, offset: 0 };
  const half = windows.length >> 1;
  const early = windows.slice(0, Math.max(1, half));
  const late = windows.slice(half);
  const [x0, x1] = [medianOf(early, 'middle'), medianOf(late, 'middle')];
  const [y0, y1] = [medianOf(early, 'offset'), medianOf(late, 'offset')];
  const slope = x1 - x0 > 4 * windowFrames ? (y1 - y0) / (x1 - x0) : 0;
  return { slope, offset: medianOf(windows, 'offset') - slope * medianOf(windows, 'middle') };
}

function medianOf(windows: readonly { middle: number; offset: number }[], key: 'middle' | 'offset'): number {
  const values = windows.map((window) => window[key]).sort((a, b) => a - b);
  return values[values.length >> 1];
}
