import type { TrackId } from '@earmark/kernel';
import { centsPerStep, type PeakSource } from './candidate.js';
import { framesToMs } from './config.js';
import type { Match } from './match.js';
import { slicePeaks, type Peaks } from './peaks.js';
import { QueryRaster, type Alignment, type Profile, type ReferencePeaks } from './query-raster.js';
import { roleOf } from './role.js';
import { scanWindows } from './scan-windows.js';
import type { ReferenceCache } from './search.js';
import { findBorders } from './segment-borders.js';
import type { Verified } from './verification.js';

/** What one window of a scan found; the line counts from the recording's frame 0. */
export type ScanWindow = Readonly<{
  /** First frame. */
  start: number;
  trackId: TrackId;
  line: Verified;
  votes: number;
  score: number;
  probability: number;
  alternatives: readonly Readonly<{ trackId: TrackId; strength: number }>[];
}>;

/** Windows that lie on one line of one track. */
type Strand = { trackId: TrackId; windows: ScanWindow[] };

/** A stretch of one track with its borders, before overlaps are resolved. */
type Segment = Readonly<{
  strand: Strand;
  line: Alignment;
  start: number;
  end: number;
  probability: number;
  score: number;
}>;

/** Pieces of which borders are made: a quarter of a second. */
const pieceFrames = 11;
const piecesPerHop = scanWindows.hop / pieceFrames;
/** Windows looked at before the first and after the last that found something. */
const marginWindows = 3;
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
  for (const strand of strandsOf(windows)) {
    if (probabilityOfWindows(strand.windows) < leastProbability) continue;
    const reference = await references.get(strand.trackId);
    if (reference) segments.push(...segmentsOf(peaks, strand, reference, leastProbability));
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

/** Finds where the strand's track begins and ends to sound. */
function segmentsOf(
  peaks: Peaks,
  strand: Strand,
  reference: ReferencePeaks,
  leastProbability: number,
): readonly Segment[] {
  const first = Math.max(0, strand.windows[0].start - marginWindows * scanWindows.hop);
  const lastWindow = strand.windows[strand.windows.length - 1];
  const end = Math.min(
    peaks.lengthFrames,
    lastWindow.start + scanWindows.length + marginWindows * scanWindows.hop,
  );
  const pieces = Math.max(1, Math.ceil((end - first) / pieceFrames));
  const profile = {
    excess: new Float32Array(pieces),
    variance: new Float32Array(pieces),
    weight: new Float32Array(pieces),
  };
  for (let piece = 0; piece < pieces; piece += piecesPerHop) {
    addPieces(profile, piece, peaks, first, strand, reference);
  }
  const core = coreExcess(profile, strand, first);
  if (core <= 0) return [];
  const segments: Segment[] = [];
  for (const range of findBorders(profile, core)) {
    const start = first + range.from * pieceFrames;
    const stop = Math.min(end, first + range.to * pieceFrames);
    const inside = strand.windows.filter(
      (window) => window.start < stop && window.start + scanWindows.length > start,
    );
    if (inside.length === 0) continue;
    const probability = probabilityOfWindows(inside);
    if (probability < leastProbability) continue;
    const score = Math.max(...inside.map((window) => window.score));
    segments.push({
      strand: { trackId: strand.trackId, windows: inside },
      line: lineOf(inside),
      start,
      end: stop,
      probability,
      score,
    });
  }
  return segments;
}

/** Measures one hop's pieces on a raster of the 10 s around them, along the line of the nearest window. */
function addPieces(
  profile: Profile,
  piece: number,
  peaks: Peaks,
  first: number,
  strand: Strand,
  reference: ReferencePeaks,
): void {
  const start = first + piece * pieceFrames;
  const pieces = Math.min(piecesPerHop, profile.excess.length - piece);
  const from = Math.max(0, start - (scanWindows.length - scanWindows.hop) / 2);
  const raster = QueryRaster.ofQuery(slicePeaks(peaks, from, from + scanWindows.length));
  const middle = start + scanWindows.hop / 2;
  const window = strand.windows.reduce((a, b) => (distance(b, middle) < distance(a, middle) ? b : a));
  const line = { ...window.line, offset: window.line.offset + window.line.speed * from };
  const part = raster.profile(reference, line, start - from, pieceFrames, pieces);
  profile.excess.set(part.excess, piece);
  profile.variance.set(part.variance, piece);
  profile.weight.set(part.weight, piece);
}

function distance(window: ScanWindow, frame: number): number {
  return Math.abs(window.start + scanWindows.length / 2 - frame);
}

/** Agreement per unit of weight around the best window, where the track surely sounds. */
function coreExcess(profile: Profile, strand: Strand, first: number): number {
  const best = strand.windows.reduce((a, b) => (b.line.z > a.line.z ? b : a));
  const from = Math.max(0, Math.round((best.start - first) / pieceFrames));
  let excess = 0;
  let weight = 0;
  for (let piece = from; piece < Math.min(profile.excess.length, from + 2 * piecesPerHop); piece++) {
    excess += profile.excess[piece];
    weight += profile.weight[piece];
  }
  return weight === 0 ? 0 : excess / weight;
}

/** One line through the windows: a fit to their middles when the speed is not nominal. */
function lineOf(windows: readonly ScanWindow[]): Alignment {
  const best = windows.reduce((a, b) => (b.line.z > a.line.z ? b : a));
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
  const strength = (segment: Segment): number =>
    segment.probability * (segment.end - segment.start) * segment.score;
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
    relation: 'recording',
    ...(alternatives.length > 0 && { alternatives }),
  };
}
