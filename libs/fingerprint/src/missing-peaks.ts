import { fingerprintConfig as config } from './config.js';
import { lowerBound, type Peaks } from './peaks.js';
import type { Alignment, ReferencePeaks } from './query-raster.js';
import { levelDb, spectrumBins, type SpectrumLevels } from './spectrum.js';

/** What a query lacks of a track that it was found to hold. */
export type MissingPeaks = Readonly<{
  /** Peaks of the track inside the query, the faintest left out. */
  compared: number;
  /** Peaks of the track that the query must show if it holds the recording: nothing there is loud enough to cover them. */
  judged: number;
  /** Share of the judged peaks that are more than 5 dB below their due level, 0..1. */
  softer: number;
  /** Share of the judged peaks that are more than 11 dB below it, 0..1. */
  missing: number;
}>;

/** Part of a query, frames. */
export type Span = Readonly<{ start: number; end: number }>;

/** Peaks of lower rank than this are too faint in the recording itself. */
const mostRank = 3;
/** Distances, in bins, of the neighbours whose median is what else sounds. */
const beside = { from: 3, to: 8 } as const;
/** Decibels above its surroundings from which a cell counts for the gain, and above which a judged peak must stand. */
const clearance = { seen: 6, judged: 12 } as const;
/** The gain of a band is where most differences of level lie within so many decibels; fewer peaks tell none. */
const gainWindowDb = 3;
const leastSeen = 6;
const lack = { softer: 5, missing: 11 } as const;

type Cell = Readonly<{ band: number; level: number; top: number; floor: number }>;

/**
 * Looks for the peaks of a track that a query ought to show and does not. Noise and voices only add, rooms move levels by
 * a few decibels and an equaliser moves whole bands; another instrument playing the same notes leaves partials out.
 *
 * @param query with its spectrum; without one nothing is judged
 * @param line where the track was found
 * @param span where in the query to look; absent: everywhere
 */
export function missingPeaks(
  query: Peaks,
  reference: ReferencePeaks,
  line: Alignment,
  span: Span = { start: 0, end: Infinity },
): MissingPeaks {
  const cells = query.spectrum ? cellsOf(query.spectrum, reference, line, span) : [];
  let judged = 0;
  let softer = 0;
  let missing = 0;
  for (const own of Map.groupBy(cells, (cell) => cell.band).values()) {
    const gain = commonGain(own);
    if (gain === undefined) continue;
    for (const { level, top, floor } of own) {
      const due = level + gain;
      if (floor > due - clearance.judged) continue;
      judged++;
      if (due - top > lack.softer) softer++;
      if (due - top > lack.missing) missing++;
    }
  }
  const share = (count: number): number => (judged > 0 ? count / judged : 0);
  return { compared: cells.length, judged, softer: share(softer), missing: share(missing) };
}

/** The query's cells at the track's peaks: by octave, with the loudest level at the peak and the usual one beside it, dB. */
function cellsOf(spectrum: SpectrumLevels, reference: ReferencePeaks, line: Alignment, span: Span): Cell[] {
  const { frames, bins, levels, ranks } = reference;
  const length = Math.floor(spectrum.length / spectrumBins);
  const ratio = 2 ** (line.pitch / config.stepsPerOctave);
  const cells: Cell[] = [];
  const around = new Uint8Array(2 * (beside.to - beside.from + 1));
  const to = lowerBound(frames, line.offset + line.speed * Math.min(length, span.end));
  for (let i = lowerBound(frames, line.offset + line.speed * span.start); i < to; i++) {
    const frame = Math.round((frames[i] - line.offset) / line.speed);
    const bin = Math.round(bins[i] * ratio) - config.firstBin;
    if (ranks[i] > mostRank || frame < 1 || frame >= length - 1) continue;
    if (bin <= beside.to || bin >= spectrumBins - beside.to) continue;
    let top = 0;
    for (let f = frame - 1; f <= frame + 1; f++)
      for (let b = bin - 1; b <= bin + 1; b++) top = Math.max(top, spectrum[f * spectrumBins + b]);
    const here = frame * spectrumBins + bin;
    for (let d = beside.from, n = 0; d <= beside.to; d++) {
      around[n++] = spectrum[here - d];
      around[n++] = spectrum[here + d];
    }
    around.sort();
    cells.push({
      band: Math.floor(Math.log2((bin + config.firstBin) / config.firstBin)),
      level: levels[i],
      top: levelDb(top),
      floor: levelDb(around[around.length >> 1]),
    });
  }
  return cells;
}

/** The gain, query above reference in dB, that most of the clearly seen peaks share. */
function commonGain(cells: readonly Cell[]): number | undefined {
  const gains = cells
    .filter(({ top, floor }) => top > floor + clearance.seen)
    .map(({ top, level }) => top - level)
    .sort((a, b) => a - b);
  if (gains.length < leastSeen) return undefined;
  let most = 0;
  let gain: number | undefined;
  for (let from = 0, to = 0; from < gains.length; from++) {
    while (to < gains.length && gains[to] <= gains[from] + gainWindowDb) to++;
    if (to - from <= most) continue;
    most = to - from;
    gain = (gains[from] + gains[to - 1]) / 2;
  }
  return gain;
}
