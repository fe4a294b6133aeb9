import { changePoints } from './change-points.js';
import type { HeardTrack } from './heard-track.js';
import type { Ontology } from './ontology/ontology.js';
import { opposedMoods, type OpposedMoods } from './opposed-moods.js';
import type { MoodShift } from './tag-result.js';

/** When a change of mood counts. */
export type ShiftRule = Readonly<{
  /**
   * Least time that a mood lasts on either side: what counts for a track, a share of it or so long a run, and never less
   * than the first.
   */
  minSideMs: number;
  heldShare: number;
  heldRunMs: number;
  /**
   * Times on either side that are compared, and the least ratio of the change of sound to its scatter over such a time: the
   * F statistic of the embeddings.
   */
  scales: readonly Readonly<{ reachMs: number; minSoundRatio: number }>[];
  /** Least change of a contrast of the model's own, in log-odds. */
  minChange: number;
  /** Least ratio of that change to its standard error. */
  minContrast: number;
  /** Ratio from which the two moods of a contrast are levelled at a border that others make. */
  minLevelled: number;
  /** Least change of the difference of two opposed moods without such a contrast, in log-odds. */
  minPlainChange: number;
  /** Least ratio of that difference to its standard error. */
  minPlainContrast: number;
  /**
   * How far the middle between both sides may lie from where two moods without a contrast are level, in log-odds: the
   * instruments of a track draw a mood one way from beginning to end, what changes inside it is free of them.
   */
  maxBias: number;
  /** Least part of the change that each of two moods without a contrast makes, 0..0.5: one must come and the other go. */
  minShare: number;
}>;

/** Tuned on glued and steady tracks (docs/evaluation/tagging-serving.md). */
export const defaultShiftRule: ShiftRule = {
  minSideMs: 10_000,
  heldShare: 0.15,
  heldRunMs: 20_000,
  scales: [
    { reachMs: 40_000, minSoundRatio: 23 },
    { reachMs: 20_000, minSoundRatio: 40 },
  ],
  minChange: 0.7,
  minContrast: 2,
  minLevelled: 1,
  minPlainChange: 1,
  minPlainContrast: 3,
  maxBias: 3,
  minShare: 0.1,
};

/** Share of its threshold from which a mood may be named at a shift. */
const nearThreshold = 0.6;
/** Share of its change that a mood leads by at least, on its own side of a border. */
const leastLead = 0.25;

/** Two opposed moods whose lead changes at a border. */
type PairChange = Readonly<{
  moods: OpposedMoods;
  /** Indices of the mood before and of the mood after. */
  from: number;
  to: number;
  /** How much the lead of `from` falls, in log-odds; positive. */
  change: number;
  /** Middle of the lead of `from` between both sides, in log-odds. */
  middle: number;
  /** Whether it makes a border, and is named there. */
  counts: boolean;
}>;

/** A border at which a mood gives way to its opposite. */
export type MoodBorder = Readonly<{
  atMs: number;
  /** Segments before and after it, as far as the neighbouring borders. */
  before: readonly number[];
  after: readonly number[];
  /** The largest change first; contrasts of the model's own before others. */
  pairs: readonly PairChange[];
}>;

/** A border with the moods that are said of its sides, by tag index, the largest change first; at least one each. */
export type NamedBorder = MoodBorder & Readonly<{ from: readonly number[]; to: readonly number[] }>;

/**
 * Finds where moods give way to their opposites: the sound changes for good, and with it the lead of one of two opposed
 * moods, by more than its scatter. Where the model has contrasts of its own, only they make borders.
 */
export function findMoodBorders(
  heard: HeardTrack,
  ontology: Ontology,
  rule: ShiftRule = defaultShiftRule,
): readonly MoodBorder[] {
  const segments = heard.musicSegments;
  const { hopMs, windowMs, embeddingSize } = heard.model;
  const hops = (ms: number): number => Math.max(2, Math.round(ms / hopMs));
  const { minSideMs, heldShare, heldRunMs } = rule;
  const sideMs = Math.max(minSideMs, Math.min(heldRunMs, heldShare * heard.outputs.durationMs));
  const cuts = changePoints(
    directionsOf(heard, segments),
    embeddingSize,
    hops(sideMs),
    rule.scales.map(({ reachMs, minSoundRatio }) => ({ reach: hops(reachMs), minRatio: minSoundRatio })),
  );
  if (cuts.length === 0) return [];
  const opposed = opposedMoods(heard, ontology);
  const hasContrasts = opposed.some(({ isProven }) => isProven);
  return cuts.flatMap((at, i) => {
    const before = segments.slice(cuts[i - 1] ?? 0, at);
    const after = segments.slice(at, cuts[i + 1] ?? segments.length);
    const pairs = opposed
      .flatMap((moods) => changeOf(heard, moods, before, after, rule) ?? [])
      .sort((x, y) => Number(y.moods.isProven) - Number(x.moods.isProven) || y.change - x.change);
    if (!pairs.some(({ counts, moods }) => counts && (moods.isProven || !hasContrasts))) return [];
    // The border lies where windows on the left stop and windows on the right begin to dominate.
    const atMs = Math.round((segments[at - 1] * hopMs + segments[at] * hopMs + windowMs) / 2);
    return [{ atMs, before, after, pairs }];
  });
}

/**
 * Names the moods of borders: those that come near their thresholds, of pairs that a contrast proves or that may be said;
 * if none does, the pair that changes most. Borders at which nothing may be named are left out.
 *
 * @param moods indices of the moods that may be said
 */
export function nameBorders(
  heard: HeardTrack,
  borders: readonly MoodBorder[],
  moods: readonly number[],
): readonly NamedBorder[] {
  return borders.flatMap((border) => {
    const { before, after, pairs } = border;
    const named = pairs.filter(
      ({ counts, moods: { isProven }, from, to }) =>
        counts &&
        (isProven ||
          (moods.includes(from) &&
            moods.includes(to) &&
            isHeard(heard, from, before) &&
            isHeard(heard, to, after))),
    );
    if (named.length === 0) return [];
    // A mood that the strongest change lets go does not come by a weaker one.
    const [from, to] = [new Set<number>(), new Set<number>()];
    for (const pair of named) {
      if (to.has(pair.from) || from.has(pair.to)) continue;
      from.add(pair.from);
      to.add(pair.to);
    }
    const near = (moods: Set<number>, segments: readonly number[]): readonly number[] => {
      const heardOnes = [...moods].filter((t) => isHeard(heard, t, segments));
      return heardOnes.length > 0 ? heardOnes : [...moods].slice(0, 1);
    };
    return [{ ...border, from: near(from, before), to: near(to, after) }];
  });
}

/** What is reported of a border. */
export function shiftAt(heard: HeardTrack, { atMs, from, to }: NamedBorder): MoodShift {
  const tagOf = (t: number): string => heard.model.tags[t].tag;
  return { atMs, from: from.map(tagOf), to: to.map(tagOf) };
}

/**
 * Log-odds to add to moods in segments beside a border, so that each side has its own mood in front. A pair with a contrast
 * keeps its mean and takes the contrast as its difference; where one mood leads on both sides, because all of the track
 * draws it, the two are levelled round the border. What several borders or pairs ask of a mood is averaged.
 *
 * @returns by segment and tag: `k * tagCount + t`
 */
export function balance(heard: HeardTrack, borders: readonly MoodBorder[]): ReadonlyMap<number, number> {
  const { tagCount, logOdds } = heard;
  const sums = new Map<number, { sum: number; count: number }>();
  const add = (at: number, value: number): void => {
    const known = sums.get(at) ?? { sum: 0, count: 0 };
    sums.set(at, { sum: known.sum + value, count: known.count + 1 });
  };
  for (const { before, after, pairs } of borders) {
    const contrasted = new Set(pairs.flatMap(({ moods, from, to }) => (moods.isProven ? [from, to] : [])));
    for (const { moods, from, to, change, middle } of pairs) {
      const sides = [...before, ...after];
      if (moods.isProven) {
        const level = middle - Math.max(-1, Math.min(1, middle / (leastLead * change))) * leastLead * change;
        for (const k of sides) {
          const lead = (from === moods.first ? moods.leadAt(k) : -moods.leadAt(k)) - level;
          const [a, b] = [k * tagCount + from, k * tagCount + to];
          const missing = (lead - (logOdds[a] - logOdds[b])) / 2;
          add(a, missing);
          add(b, -missing);
        }
      } else if (Math.abs(middle) >= change / 2 && !contrasted.has(from) && !contrasted.has(to)) {
        for (const k of sides) {
          add(k * tagCount + from, -middle / 2);
          add(k * tagCount + to, middle / 2);
        }
      }
    }
  }
  return new Map([...sums].map(([at, { sum, count }]) => [at, sum / count]));
}

/** Embeddings of segments as directions, row-major; zeros stay. */
function directionsOf({ model, outputs }: HeardTrack, segments: readonly number[]): Float32Array {
  const size = model.embeddingSize;
  const rows = new Float32Array(segments.length * size);
  segments.forEach((k, row) => {
    const one = outputs.embeddings.subarray(k * size, (k + 1) * size);
    const length = Math.hypot(...one);
    if (length === 0) return;
    for (let i = 0; i < size; i++) rows[row * size + i] = one[i] / length;
  });
  return rows;
}

function changeOf(
  heard: HeardTrack,
  moods: OpposedMoods,
  before: readonly number[],
  after: readonly number[],
  rule: ShiftRule,
): PairChange | undefined {
  const [left, right] = [describe(before.map(moods.leadAt)), describe(after.map(moods.leadAt))];
  const change = left.mean - right.mean;
  // Windows overlap by half, so that only every second one is independent.
  const variance = (2 * (left.scatter + right.scatter)) / Math.max(1, left.count + right.count - 2);
  const error = Math.sqrt(variance * (1 / left.count + 1 / right.count));
  const middle = (left.mean + right.mean) / 2;
  const size = Math.abs(change);
  const { first, second, isProven } = moods;
  const towards =
    change > 0 ? { from: first, to: second, middle } : { from: second, to: first, middle: -middle };
  if (isProven) {
    if (size === 0 || size < rule.minLevelled * error) return undefined;
    const counts = size >= rule.minChange && size >= rule.minContrast * error;
    return { moods, ...towards, change: size, counts };
  }
  if (size < rule.minPlainChange || size < rule.minPlainContrast * error) return undefined;
  if (Math.abs(middle) > size / 2 + rule.maxBias) return undefined;
  const share = (meanOf(heard, first, before) - meanOf(heard, first, after)) / change;
  if (share < rule.minShare || share > 1 - rule.minShare) return undefined;
  return { moods, ...towards, change: size, counts: true };
}

/** Whether a mood comes near its threshold in a part, by the mean of its log-odds. */
function isHeard(heard: HeardTrack, t: number, segments: readonly number[]): boolean {
  const score = 1 / (1 + Math.exp(-meanOf(heard, t, segments)));
  return score >= nearThreshold * heard.model.tags[t].threshold;
}

function meanOf(heard: HeardTrack, t: number, segments: readonly number[]): number {
  return segments.reduce((sum, k) => sum + heard.logOdds[k * heard.tagCount + t], 0) / segments.length;
}

function describe(values: readonly number[]): Readonly<{ mean: number; scatter: number; count: number }> {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { mean, scatter: values.reduce((sum, value) => sum + (value - mean) ** 2, 0), count: values.length };
}
