import type { CandidateSource } from './candidate.js';
import { msToFrames } from './config.js';
import { decisionModel } from './decision-model.js';
import { probabilityOf, scoreOf } from './decision.js';
import type { Match } from './match.js';
import { slicePeaks, type Peaks } from './peaks.js';
import { QueryRaster, type Alignment } from './query-raster.js';
import { ReferenceCache, search, type SearchSources } from './search.js';
import { scanWindows } from './scan-windows.js';
import type { ScanWindow } from './segment-trace.js';
import { joinWindows } from './segments.js';
import { ShiftProfile } from './shift-profile.js';
import { verify, type Verified } from './verification.js';

/** What a caller may choose. */
export type ScanOptions = Readonly<{
  /** Probability from which a match is answered; default as calibrated. */
  leastProbability?: number;
  /** Called, and waited for, after each window. */
  onProgress?: (doneFrames: number, totalFrames: number) => void | Promise<void>;
  /** Ends the scan between two windows; the promise rejects with the signal's reason. */
  signal?: AbortSignal;
}>;

/**
 * Finds every stretch of every track in a long recording: windows of 10 s are searched, what they find is joined along
 * common lines, and each stretch gets its start and end on both sides.
 *
 * @param peaks of the whole recording at query density
 * @returns matches in order of time; tracks that share audio are alternatives of one match
 */
export async function scan(
  peaks: Peaks,
  sources: SearchSources,
  options: ScanOptions = {},
): Promise<readonly Match[]> {
  const references = sources.references ?? new ReferenceCache(sources.peaks);
  const windows: ScanWindow[] = [];
  let previous: ScanWindow | undefined;
  for (const start of windowStarts(peaks.lengthFrames)) {
    options.signal?.throwIfAborted();
    const query = slicePeaks(peaks, start, start + scanWindows.length);
    const window =
      (previous && (await follow(previous, query, start, references))) ??
      (await searchWindow(query, start, sources, references));
    previous = window && window.probability >= followFrom ? window : undefined;
    if (window) windows.push(window);
    await options.onProgress?.(Math.min(peaks.lengthFrames, start + scanWindows.length), peaks.lengthFrames);
  }
  const matches = await joinWindows(
    peaks,
    windows,
    references,
    sources.peaks,
    options.leastProbability ?? decisionModel.answer,
  );
  const confirmed: Match[] = [];
  for (const match of matches) {
    options.signal?.throwIfAborted();
    if (
      heldShare(match, windows) >= surelyHeld ||
      (await isConfirmed(match, peaks, sources.index, references))
    )
      confirmed.push(match);
  }
  return confirmed;
}

/** Share of the track's peaks in a window from which a match needs no second look. */
const surelyHeld = 0.4;
/** Windows that a second look takes at most, and the share of them that may speak against the match. */
const secondLook = { windows: 6, mostAgainst: 0.5 } as const;
/** Agreement of another track that speaks against a match: in itself, and relative to that of the match. */
const rivalAgreement = { z: 8, relative: 0.5 } as const;

/** Largest share of the track's peaks that a window inside the match has. */
function heldShare(match: Match, windows: readonly ScanWindow[]): number {
  const start = msToFrames(match.queryStartMs);
  const end = msToFrames(match.queryEndMs);
  return Math.max(
    0,
    ...windows
      .filter(
        (window) =>
          window.trackId === match.trackId && window.start < end && window.start + scanWindows.length > start,
      )
      .map(({ line }) => line.share),
  );
}

/**
 * Searches windows of a match on their own, without the line of the window before: a drum loop agrees with other music on
 * the same beat for as long as it plays, but in most windows other tracks agree nearly as well.
 */
async function isConfirmed(
  match: Match,
  peaks: Peaks,
  index: CandidateSource,
  references: ReferenceCache,
): Promise<boolean> {
  const start = msToFrames(match.queryStartMs);
  const room = Math.max(0, msToFrames(match.queryEndMs) - start - scanWindows.length);
  const count = Math.min(secondLook.windows, 1 + Math.floor(room / scanWindows.hop));
  let against = 0;
  for (let i = 0; i < count; i++) {
    const from = Math.round(start + (count > 1 ? (room * i) / (count - 1) : room / 2));
    const query = slicePeaks(peaks, from, from + scanWindows.length);
    const { decision } = await search(query, index, references);
    if (!decision) continue;
    const { z, rivalZ } = decision.evidence;
    const [own, other] = decision.place.trackId === match.trackId ? [z, rivalZ] : [0, z];
    if (other >= Math.max(rivalAgreement.z, rivalAgreement.relative * own)) against++;
  }
  return against <= secondLook.mostAgainst * count;
}

/** Probability from which the next window is first tried on the same line. */
const followFrom = 0.95;
/** Agreement from which a window goes on with the line of the one before, without a search. */
const followAgreement = { z: 7, share: 0.45 } as const;

function windowStarts(lengthFrames: number): readonly number[] {
  const count = Math.max(1, Math.ceil((lengthFrames - scanWindows.length) / scanWindows.hop) + 1);
  return Array.from({ length: count }, (_, i) => i * scanWindows.hop);
}

async function searchWindow(
  query: Peaks,
  start: number,
  sources: SearchSources,
  references: ReferenceCache,
): Promise<ScanWindow | undefined> {
  const { decision } = await search(query, sources.index, references);
  if (!decision || decision.probability < leastKept) return undefined;
  const { place, score, probability, alternatives } = decision;
  return {
    start,
    trackId: place.trackId,
    line: shift(place.line, start),
    votes: place.votes,
    score,
    probability,
    alternatives: alternatives.map((other) => ({
      trackId: other.trackId,
      strength: other.line.z / place.line.z,
    })),
  };
}

/** Probability below which a window's find is not even a hint. */
const leastKept = 0.05;

/** Tries the line of the window before on this window. */
async function follow(
  previous: ScanWindow,
  query: Peaks,
  start: number,
  references: ReferenceCache,
): Promise<ScanWindow | undefined> {
  const reference = await references.get(previous.trackId);
  if (!reference) return undefined;
  const raster = QueryRaster.ofQuery(query);
  const line = verify(raster, reference, shift(previous.line, -start), isNominal(previous.line));
  if (line.z < followAgreement.z || line.share < followAgreement.share * previous.line.share)
    return undefined;
  const evidence = {
    z: line.z,
    rivalZ: decisionModel.leastRivalZ,
    votes: 0,
    expected: line.expected,
    share: line.share,
    nominal: isNominal(line),
    contrast: new ShiftProfile(query).standing(reference, line).contrast,
  };
  return {
    ...previous,
    start,
    line: shift(line, start),
    score: scoreOf(evidence),
    probability: probabilityOf(evidence),
  };
}

function isNominal(line: Alignment): boolean {
  return line.speed === 1 && line.pitch === 0;
}

/** The same line for a query whose frame 0 is `frames` earlier. */
function shift(line: Verified, frames: number): Verified {
  return { ...line, offset: line.offset - line.speed * frames };
}
