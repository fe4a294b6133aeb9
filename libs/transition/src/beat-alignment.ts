import type { MixTrack } from './mix-track.js';

/** Two stretches of beats brought together: where each begins, the playing speeds, and how far beats lie apart. */
export type BeatAlignment = Readonly<{
  /** First beat of the stretch in the first and in the second track, ms, not rounded. */
  fromMs: number;
  toMs: number;
  /** Playing time of the stretch, ms. */
  overlapMs: number;
  /** Beats of the first track in it. */
  beats: number;
  /** Playing speeds, 1.05: 5 % faster. */
  ratios: Readonly<{ from: number; to: number }>;
  /** 95th percentile of the distance between beats that should sound at once, ms. */
  errorMs: number;
}>;

/** Beats farther apart than this, at the 95th percentile, are heard as two. */
export const mostBeatErrorMs = 20;

/**
 * Speeds at which two tempos meet: the second track alone is changed if that suffices, else both share the change evenly.
 *
 * @param maxShift largest change of one track, share
 * @returns absent if they cannot meet within the limit
 */
export function tempoRatios(
  fromBpm: number,
  toBpm: number,
  maxShift: number,
): { from: number; to: number } | undefined {
  const octave = nearestOctave(fromBpm / toBpm);
  const ratio = fromBpm / (toBpm * octave);
  if (!(ratio > 0) || !Number.isFinite(ratio)) return undefined;
  if (isWithin(ratio, maxShift)) return { from: 1, to: ratio };
  const half = Math.sqrt(ratio);
  return isWithin(half, maxShift) && isWithin(1 / half, maxShift) ? { from: 1 / half, to: half } : undefined;
}

/**
 * Aligns `beats` beats of the first track from its beat `fromIndex` on with the beats of the second one from `toIndex` on
 * (twice or half as many where the tempos lie an octave apart). Straight lines through the beats give places and speeds,
 * so that a beat that was found a little early or late does no harm.
 *
 * @returns absent if beats are missing, the speeds would change too much, or the tempo is too unsteady
 */
export function alignBeats(
  from: Pick<MixTrack, 'beatsMs'>,
  fromIndex: number,
  to: Pick<MixTrack, 'beatsMs'>,
  toIndex: number,
  beats: number,
  maxShift: number,
): BeatAlignment | undefined {
  if (fromIndex < 0 || toIndex < 0 || fromIndex + beats >= from.beatsMs.length) return undefined;
  const here = fitLine(from.beatsMs, fromIndex, beats);
  const near = Math.min(beats, to.beatsMs.length - 1 - toIndex);
  if (near < 2) return undefined;
  const octave = nearestOctave(fitLine(to.beatsMs, toIndex, near).step / here.step);
  const toBeats = beats * octave;
  if (!Number.isInteger(toBeats) || toIndex + toBeats >= to.beatsMs.length) return undefined;
  const there = fitLine(to.beatsMs, toIndex, toBeats);
  const ratios = tempoRatios(60_000 / here.step, 60_000 / there.step, maxShift);
  if (ratios === undefined) return undefined;
  const errors: number[] = [];
  for (let beat = 0; beat <= beats; beat++) {
    const other = beat * octave;
    if (!Number.isInteger(other)) continue;
    const first = (from.beatsMs[fromIndex + beat] - here.start) / ratios.from;
    const second = (to.beatsMs[toIndex + other] - there.start) / ratios.to;
    errors.push(Math.abs(first - second));
  }
  errors.sort((a, b) => a - b);
  const errorMs = errors[Math.ceil(0.95 * errors.length) - 1] ?? 0;
  if (errorMs > mostBeatErrorMs) return undefined;
  return {
    fromMs: here.start,
    toMs: there.start,
    overlapMs: (beats * here.step) / ratios.from,
    beats,
    ratios,
    errorMs,
  };
}

/** Index of the beat nearest to a time; -1 without beats. @param beats rising times, ms */
export function nearestBeat(beats: readonly number[], atMs: number): number {
  let [low, high] = [0, beats.length - 1];
  if (high < 0) return -1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (beats[middle] < atMs) low = middle + 1;
    else high = middle;
  }
  return low > 0 && atMs - beats[low - 1] <= beats[low] - atMs ? low - 1 : low;
}

/** Of 1, 2 and 1/2 the one nearest to a ratio. */
function nearestOctave(ratio: number): number {
  if (ratio > Math.SQRT2) return 2;
  return ratio < Math.SQRT1_2 ? 0.5 : 1;
}

/** Straight line through beats `index` .. `index + count`: the time of the first and the time between two. */
function fitLine(beats: readonly number[], index: number, count: number): { start: number; step: number } {
  const n = count + 1;
  let [sum, slope] = [0, 0];
  for (let i = 0; i < n; i++) {
    const time = beats[index + i] - beats[index];
    sum += time;
    slope += (i - count / 2) * time;
  }
  const step = slope / ((n * (n * n - 1)) / 12);
  return { start: beats[index] + sum / n - (step * count) / 2, step };
}

function isWithin(ratio: number, share: number): boolean {
  return ratio <= 1 + share + 1e-9 && ratio >= 1 - share - 1e-9;
}
