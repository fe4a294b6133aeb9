import { changePoints } from './change-points.js';
import type { HeardTrack } from './heard-track.js';
import { conceptId } from './ontology/concept.js';
import type { Ontology } from './ontology/ontology.js';
import type { MoodShift } from './tag-result.js';

/** When a change of mood counts. */
export type ShiftRule = Readonly<{
  /** Least time that a mood lasts on either side. */
  minSideMs: number;
  /** Time on either side that is compared. */
  reachMs: number;
  /** Least ratio of the change of sound to its scatter: the F statistic of the embeddings. */
  minSoundRatio: number;
  /** Least change of the difference of two opposed moods, in log-odds. */
  minChange: number;
  /** Least ratio of that change to its standard error. */
  minContrast: number;
  /**
   * How far the middle between both sides may lie from where both moods are level, in log-odds: the instruments of a track
   * draw a mood one way from beginning to end, what changes inside it is free of them.
   */
  maxBias: number;
  /** Least part of the change that each of the two moods makes, 0..0.5: one must come and the other go. */
  minShare: number;
}>;

/** Tuned on glued and steady tracks (docs/evaluation/tagging-serving.md). */
export const defaultShiftRule: ShiftRule = {
  minSideMs: 10_000,
  reachMs: 40_000,
  minSoundRatio: 15,
  minChange: 1,
  minContrast: 3,
  maxBias: 3,
  minShare: 0.1,
};

/** Share of its threshold from which a mood may be named at a shift. */
const nearThreshold = 0.6;

/** Two opposed moods whose difference changes at a border. */
type PairChange = Readonly<{
  /** Indices of the mood before and of the mood after. */
  from: number;
  to: number;
  change: number;
  /** Middle of the difference `from - to` between both sides, in log-odds. */
  middle: number;
}>;

/** A border at which a mood gives way to its opposite. */
export type MoodBorder = Readonly<{
  atMs: number;
  /** Segments before and after it, as far as the neighbouring borders. */
  before: readonly number[];
  after: readonly number[];
  /** The largest change first. */
  pairs: readonly PairChange[];
}>;

/**
 * Finds where moods give way to their opposites: the sound changes for good, and with it the difference of two opposed
 * moods, by more than its scatter.
 *
 * Where the middle of the two sides is off level, the pair is drawn one way by all of the track; {@link balance} says by
 * how much.
 */
export function findMoodBorders(
  heard: HeardTrack,
  ontology: Ontology,
  rule: ShiftRule = defaultShiftRule,
): readonly MoodBorder[] {
  const segments = heard.musicSegments;
  const { hopMs, windowMs, embeddingSize: size } = heard.model;
  const hops = (ms: number): number => Math.max(2, Math.round(ms / hopMs));
  const rows = new Float32Array(segments.length * size);
  segments.forEach((k, row) => {
    const one = heard.outputs.embeddings.subarray(k * size, (k + 1) * size);
    const length = Math.hypot(...one);
    if (length > 0)
      rows.set(
        one.map((value) => value / length),
        row * size,
      );
  });
  const cuts = changePoints(rows, size, hops(rule.minSideMs), hops(rule.reachMs), rule.minSoundRatio);
  const pairs = opposedPairs(heard, ontology);
  return cuts.flatMap((at, i) => {
    const before = segments.slice(cuts[i - 1] ?? 0, at);
    const after = segments.slice(at, cuts[i + 1] ?? segments.length);
    const changes = pairs
      .flatMap((pair) => changeOf(heard, pair, before, after, rule) ?? [])
      .sort((x, y) => y.change - x.change);
    if (changes.length === 0) return [];
    // The border lies where windows on the left stop and windows on the right begin to dominate.
    const atMs = Math.round((segments[at - 1] * hopMs + segments[at] * hopMs + windowMs) / 2);
    return [{ atMs, before, after, pairs: changes }];
  });
}

/** Borders with the pairs of moods that may be said and are near their thresholds; those without any are left out. */
export function sayableBorders(
  heard: HeardTrack,
  borders: readonly MoodBorder[],
  moods: readonly number[],
): readonly MoodBorder[] {
  return borders.flatMap((border) => {
    const { before, after, pairs } = border;
    const sayable = pairs.filter(
      ({ from, to }) =>
        moods.includes(from) &&
        moods.includes(to) &&
        isHeard(heard, from, before) &&
        isHeard(heard, to, after),
    );
    return sayable.length === 0 ? [] : [{ ...border, pairs: sayable }];
  });
}

/** What is reported of a border. */
export function shiftAt(heard: HeardTrack, { atMs, pairs }: MoodBorder): MoodShift {
  const tagOf = (t: number): string => heard.model.tags[t].tag;
  return {
    atMs,
    from: [...new Set(pairs.map(({ from }) => tagOf(from)))],
    to: [...new Set(pairs.map(({ to }) => tagOf(to)))],
  };
}

/**
 * Log-odds to add to moods in segments beside a border, so that the two sides of each changing pair lie level round it;
 * a mood that several pairs draw goes the mean way.
 *
 * @returns by segment and tag: `k * tagCount + t`
 */
export function balance(heard: HeardTrack, borders: readonly MoodBorder[]): ReadonlyMap<number, number> {
  const sums = new Map<number, { sum: number; count: number }>();
  const add = (at: number, value: number): void => {
    const known = sums.get(at) ?? { sum: 0, count: 0 };
    sums.set(at, { sum: known.sum + value, count: known.count + 1 });
  };
  for (const { before, after, pairs } of borders) {
    for (const { from, to, change, middle } of pairs) {
      // Only what stands in the way: sides that have their own moods in front stay as they are.
      if (Math.abs(middle) < change / 2) continue;
      for (const k of [...before, ...after]) {
        add(k * heard.tagCount + from, -middle / 2);
        add(k * heard.tagCount + to, middle / 2);
      }
    }
  }
  return new Map([...sums].map(([at, { sum, count }]) => [at, sum / count]));
}

function changeOf(
  heard: HeardTrack,
  [a, b]: readonly [number, number],
  before: readonly number[],
  after: readonly number[],
  rule: ShiftRule,
): PairChange | undefined {
  const differences = (segments: readonly number[]): readonly number[] =>
    segments.map((k) => heard.logOdds[k * heard.tagCount + a] - heard.logOdds[k * heard.tagCount + b]);
  const [left, right] = [describe(differences(before)), describe(differences(after))];
  const change = left.mean - right.mean;
  // Windows overlap by half, so that only every second one is independent.
  const variance = (2 * (left.scatter + right.scatter)) / Math.max(1, left.count + right.count - 2);
  const error = Math.sqrt(variance * (1 / left.count + 1 / right.count));
  const middle = (left.mean + right.mean) / 2;
  const size = Math.abs(change);
  if (size < rule.minChange || size < rule.minContrast * error) return undefined;
  if (Math.abs(middle) > size / 2 + rule.maxBias) return undefined;
  const fall = meanOf(heard, a, before) - meanOf(heard, a, after);
  const share = fall / change;
  if (share < rule.minShare || share > 1 - rule.minShare) return undefined;
  return change > 0
    ? { from: a, to: b, change: size, middle }
    : { from: b, to: a, change: size, middle: -middle };
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

function opposedPairs(heard: HeardTrack, ontology: Ontology): readonly (readonly [number, number])[] {
  const moods = heard.model.tags.flatMap(({ facet }, t) => (facet === 'mood' ? [t] : []));
  const idOf = (t: number) => conceptId('mood', heard.model.tags[t].tag);
  return moods.flatMap((a) =>
    moods.filter((b) => b > a && ontology.opposedTo(idOf(a)).has(idOf(b))).map((b) => [a, b] as const),
  );
}
