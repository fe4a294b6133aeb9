import type { TrackId } from '@earmark/kernel';
import { centsPerStep, type PeakSource } from './candidate.js';
import { framesToMs } from './config.js';
import { relationOf, type Match } from './match.js';
import { missingPeaks } from './missing-peaks.js';
import { slicePeaks, type Peaks } from './peaks.js';
import { QueryRaster, referencePeaks, type Alignment, type ReferencePeaks } from './query-raster.js';
import { roleOf } from './role.js';
import { scanWindows } from './scan-windows.js';
import type { ReferenceCache } from './search.js';
import { findBorders, pieceEvidence, type PieceRange } from './segment-borders.js';
import { bestOf, pieceFrames, RasterCache, Trace, type ScanWindow, type Strand } from './segment-trace.js';
import { ShiftProfile } from './shift-profile.js';
import { verify } from './verification.js';

/** A stretch of one track with its borders, before overlaps are resolved. */
type Segment = Readonly<{
  strand: Strand;
  line: Alignment;
  start: number;
  end: number;
  probability: number;
  score: number;
  /** Sum over the pieces that speak for the track of how much likelier it is than chance, natural logarithm. */
  evidence: number;
}>;

/** Longest gap inside a match: 12 s. */
const mostGapPieces = 48;
/** Frames by which music sounds before and after it can be told: fades (0.12 s). */
const softFrames = 5;
/** Gap between windows, in hops, over which a strand goes on. */
const mostGapHops = 4;

/** Joins what windows found into matches with exact borders. */
export async function joinWindows(
  peaks: Peaks,
  windows: readonly ScanWindow[],
  references: ReferenceCache,
  source: PeakSource,
  leastProbability: number,
): Promise<readonly Match[]> {
  const segments: Segment[] = [];
  const rasters = new RasterCache(peaks);
  for (const strand of strandsOf(windows)) {
    if (probabilityOfWindows(strand.windows) < leastProbability) continue;
    const reference = await references.get(strand.trackId);
    if (!reference) continue;
    const here = segmentsOf(strand, reference, rasters, leastProbability);
    const moved = moveToBestRepeat(peaks, strand, reference);
    const there = moved ? segmentsOf(moved, reference, rasters, leastProbability) : [];
    segments.push(...(evidenceOf(there) > evidenceOf(here) ? there : here));
  }
  const kept = resolveOverlaps(segments);
  const matches: Match[] = [];
  for (const { segment, sharers } of kept) {
    const track = await source.peaksOf(segment.strand.trackId);
    if (track) matches.push(matchOf(segment, sharers, peaks, track));
  }
  return matches.sort((a, b) => a.queryStartMs - b.queryStartMs);
}

/** Gathers windows whose lines agree: same track, same place half-way between them. */
function strandsOf(windows: readonly ScanWindow[]): readonly Strand[] {
  const strands: Strand[] = [];
  for (const window of windows) {
    const strand = strands.find(
      (other) =>
        other.trackId === window.trackId && continues(other.windows[other.windows.length - 1], window),
    );
    if (strand) strand.windows.push(window);
    else strands.push({ trackId: window.trackId, windows: [window] });
  }
  return strands;
}

function continues(before: ScanWindow, after: ScanWindow): boolean {
  if (after.start - before.start > mostGapHops * scanWindows.hop) return false;
  const between = (before.start + after.start + scanWindows.length) / 2;
  const distance =
    before.line.offset + before.line.speed * between - after.line.offset - after.line.speed * between;
  return (
    Math.abs(distance) < 15 &&
    Math.abs(before.line.speed - after.line.speed) < 0.03 &&
    Math.abs(before.line.pitch - after.line.pitch) < 1.5
  );
}

/**
 * Probability of a strand: windows that do not overlap are independent witnesses, so their odds multiply; of those that
 * overlap only the best counts.
 */
function probabilityOfWindows(windows: readonly ScanWindow[]): number {
  let logit = -Infinity;
  let total = 0;
  let last = -Infinity;
  for (const window of [...windows].sort((a, b) => b.probability - a.probability)) {
    const odds = Math.log(window.probability / (1 - Math.min(window.probability, 1 - 1e-9)));
    if (logit === -Infinity) {
      logit = odds;
      total = odds;
      last = window.start;
    } else if (Math.abs(window.start - last) >= scanWindows.length && total < 6) {
      total += Math.max(0, odds + priorLogit);
    }
  }
  return 1 / (1 + Math.exp(-Math.max(logit, total)));
}

/** Logit that a hint of a second window adds beyond chance: agreeing by accident on the same line is rare. */
const priorLogit = 3;

/** Longest stretch that decides between repeats, frames (60 s). */
const repeatFrames = 2600;
/** Coincidences, relative to the strand's own place, from which another place of the track is tried. */
const repeatGain = 1.03;

/**
 * Moves a strand to the place of its track that agrees best with the whole stretch and what lies around it. A window of
 * 10 s cannot tell the repeats of a loop, but what comes before and after can.
 */
function moveToBestRepeat(peaks: Peaks, strand: Strand, reference: ReferencePeaks): Strand | undefined {
  const { windows } = strand;
  const best = bestOf(windows);
  const last = windows[windows.length - 1].start + 2 * scanWindows.length;
  const start = Math.max(0, windows[0].start - scanWindows.length, Math.min(best.start, last - repeatFrames));
  const query = slicePeaks(peaks, start, Math.min(peaks.lengthFrames, last, start + repeatFrames));
  const local = { ...best.line, offset: best.line.offset + best.line.speed * start };
  const standing = new ShiftProfile(query).standing(reference, local);
  if (standing.bestGain < repeatGain) return undefined;
  const raster = QueryRaster.ofQuery(slicePeaks(peaks, best.start, best.start + scanWindows.length));
  const there = { ...best.line, offset: standing.bestOffset + best.line.speed * (best.start - start) };
  const line = verify(raster, reference, there, best.line.speed === 1 && best.line.pitch === 0);
  const shift = line.offset - line.speed * best.start - best.line.offset;
  return {
    trackId: strand.trackId,
    windows: windows.map((window) => ({
      ...window,
      line: { ...window.line, offset: window.line.offset + shift },
    })),
  };
}

function evidenceOf(segments: readonly Segment[]): number {
  return segments.reduce((sum, { evidence }) => sum + evidence, 0);
}

/** Finds where the strand's track begins and ends to sound. */
function segmentsOf(
  strand: Strand,
  reference: ReferencePeaks,
  rasters: RasterCache,
  leastProbability: number,
): readonly Segment[] {
  const trace = new Trace(strand, reference, rasters);
  const core = trace.coreExcess();
  if (core <= 0) return [];
  trace.extend(core);
  const profile = trace.profile();
  const segments: Segment[] = [];
  for (const range of mergeNear(findBorders(profile, core))) {
    const start = Math.max(0, trace.startFrame + range.from * pieceFrames - softFrames);
    const end = Math.min(rasters.lengthFrames, trace.startFrame + range.to * pieceFrames + softFrames);
    const inside = strand.windows.filter(
      (window) => window.start < end && window.start + scanWindows.length > start,
    );
    if (inside.length === 0) continue;
    const probability = probabilityOfWindows(inside);
    if (probability < leastProbability) continue;
    let evidence = 0;
    for (let piece = range.from; piece < range.to; piece++)
      evidence += Math.max(0, pieceEvidence(profile, piece, core));
    const score = Math.max(...inside.map((window) => window.score));
    segments.push({
      strand: { trackId: strand.trackId, windows: inside },
      line: lineOf(inside),
      start,
      end,
      probability,
      score,
      evidence,
    });
  }
  return segments;
}

/** Joins ranges that a short gap parts: a track that comes back on the same line was there all the time. */
function mergeNear(ranges: readonly PieceRange[]): readonly PieceRange[] {
  const merged: PieceRange[] = [];
  for (const range of ranges) {
    const last = merged[merged.length - 1];
    if (last && range.from - last.to <= mostGapPieces)
      merged[merged.length - 1] = { from: last.from, to: range.to };
    else merged.push(range);
  }
  return merged;
}

/** One line through the windows: a fit to their middles when the speed is not nominal. */
function lineOf(windows: readonly ScanWindow[]): Alignment {
  const best = bestOf(windows);
  const nominal = windows.filter((window) => window.line.speed === 1).length * 2 >= windows.length;
  if (nominal && best.line.speed === 1) return best.line;
  if (windows.length < 2) return best.line;
  const x = windows.map((window) => window.start + scanWindows.length / 2);
  const y = windows.map((window, i) => window.line.offset + window.line.speed * x[i]);
  const weights = windows.map((window) => window.line.z);
  const total = weights.reduce((sum, w) => sum + w, 0);
  const meanX = x.reduce((sum, v, i) => sum + v * weights[i], 0) / total;
  const meanY = y.reduce((sum, v, i) => sum + v * weights[i], 0) / total;
  let xx = 0;
  let xy = 0;
  for (let i = 0; i < x.length; i++) {
    xx += weights[i] * (x[i] - meanX) ** 2;
    xy += weights[i] * (x[i] - meanX) * (y[i] - meanY);
  }
  const speed = xx > 0 ? xy / xx : best.line.speed;
  return { speed, offset: meanY - speed * meanX, pitch: best.line.pitch };
}

/** Keeps the stronger of two segments that lie on each other; the weaker track becomes an alternative. */
function resolveOverlaps(
  segments: readonly Segment[],
): readonly { segment: Segment; sharers: Map<TrackId, number> }[] {
  const strength = (segment: Segment): number => segment.evidence;
  const kept: { segment: Segment; sharers: Map<TrackId, number> }[] = [];
  for (const segment of [...segments].sort((a, b) => strength(b) - strength(a))) {
    const rival = kept.find(
      ({ segment: other }) => overlap(segment, other) > 0.5 * (segment.end - segment.start),
    );
    if (!rival) {
      const sharers = new Map<TrackId, number>();
      for (const window of segment.strand.windows) {
        for (const { trackId, strength: share } of window.alternatives)
          sharers.set(trackId, Math.max(sharers.get(trackId) ?? 0, share));
      }
      kept.push({ segment, sharers });
    } else if (
      rival.segment.strand.trackId !== segment.strand.trackId &&
      rival.sharers.has(segment.strand.trackId)
    ) {
      rival.sharers.set(
        segment.strand.trackId,
        Math.max(rival.sharers.get(segment.strand.trackId) ?? 0, segment.probability),
      );
    } else if (
      rival.segment.strand.trackId !== segment.strand.trackId &&
      segment.probability >= surelyMixed
    ) {
      kept.push({ segment, sharers: new Map() });
    }
  }
  return kept;
}

/** Probability from which a track is taken to sound together with a stronger, unrelated one. */
const surelyMixed = 0.98;

function overlap(a: Segment, b: Segment): number {
  return Math.min(a.end, b.end) - Math.max(a.start, b.start);
}

function matchOf(segment: Segment, sharers: ReadonlyMap<TrackId, number>, query: Peaks, track: Peaks): Match {
  const { line, probability, score } = segment;
  const start = Math.max(segment.start, -line.offset / line.speed);
  const end = Math.max(start, Math.min(segment.end, (track.lengthFrames - line.offset) / line.speed));
  const alternatives = [...sharers]
    .filter(([trackId]) => trackId !== segment.strand.trackId)
    .map(([trackId, share]) => ({ trackId, probability: probability * Math.min(1, share) }))
    .sort((a, b) => b.probability - a.probability);
  const missing = query.spectrum && missingPeaks(query, referencePeaks(track), line, { start, end });
  return {
    trackId: segment.strand.trackId,
    queryStartMs: framesToMs(start),
    queryEndMs: framesToMs(end),
    referenceStartMs: framesToMs(Math.max(0, line.offset + line.speed * start)),
    referenceEndMs: framesToMs(line.offset + line.speed * end),
    score,
    probability,
    speedRatio: line.speed,
    pitchCents: line.pitch * centsPerStep,
    role: roleOf(query, track, line, start, end),
    relation: relationOf(bestOf(segment.strand.windows).line, missing),
    ...(alternatives.length > 0 && { alternatives }),
  };
}
