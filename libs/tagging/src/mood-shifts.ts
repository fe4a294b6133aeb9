import type { HeardTrack } from './heard-track.js';
import { conceptId } from './ontology/concept.js';
import type { Ontology } from './ontology/ontology.js';
import type { MoodShift } from './tag-result.js';

/** When a change of mood counts. */
export type ShiftRule = Readonly<{
  /** Least time that a mood lasts on either side. */
  minSideMs: number;
  /** Least change of the difference of two opposed moods, in log-odds. */
  minChange: number;
  /** Least ratio of that change to its standard error. */
  minContrast: number;
}>;

/** Tuned on glued and steady tracks (docs/evaluation/tagging-serving.md). */
export const defaultShiftRule: ShiftRule = { minSideMs: 10_000, minChange: 1.5, minContrast: 3 };

type PairShift = Readonly<{ k: number; from: number; to: number; change: number }>;

/**
 * Finds where a mood gives way to its opposite.
 *
 * For each pair of opposed moods the difference of their log-odds is cut wherever the level steps; the weakest cuts are
 * taken back until all are clear of the scatter (bottom-up merging). What is left counts where each side has its own
 * mood in front. Cuts of several pairs at one place are one shift.
 *
 * @param moods indices of the moods that may be said
 */
export function findMoodShifts(
  heard: HeardTrack,
  ontology: Ontology,
  moods: readonly number[],
  rule: ShiftRule = defaultShiftRule,
): MoodShift[] {
  const segments = heard.musicSegments;
  const { hopMs, windowMs } = heard.model;
  const minSide = Math.max(2, Math.round(rule.minSideMs / hopMs));
  const found = opposedPairs(heard, ontology, moods).flatMap(([a, b]) => {
    const difference = segments.map((k) => {
      const row = k * heard.tagCount;
      return heard.logOdds[row + a] - heard.logOdds[row + b];
    });
    return cuts(difference, minSide, rule).map(({ at, change }): PairShift => {
      const [from, to] = change < 0 ? [a, b] : [b, a];
      return { k: at, from, to, change: Math.abs(change) };
    });
  });
  const nearby = Math.round(5000 / hopMs);
  const groups: PairShift[][] = [];
  for (const shift of found.sort((x, y) => y.change - x.change)) {
    const group = groups.find(([first]) => Math.abs(first.k - shift.k) <= nearby);
    if (group === undefined) groups.push([shift]);
    else group.push(shift);
  }
  const tagOf = (t: number): string => heard.model.tags[t].tag;
  return groups
    .sort(([x], [y]) => x.k - y.k)
    .map((group) => ({
      // The border lies where windows on the left stop and windows on the right begin to dominate.
      atMs: Math.round((segments[group[0].k - 1] * hopMs + segments[group[0].k] * hopMs + windowMs) / 2),
      from: [...new Set(group.map(({ from }) => tagOf(from)))],
      to: [...new Set(group.map(({ to }) => tagOf(to)))],
    }));
}

function opposedPairs(
  heard: HeardTrack,
  ontology: Ontology,
  moods: readonly number[],
): readonly (readonly [number, number])[] {
  const idOf = (t: number) => conceptId('mood', heard.model.tags[t].tag);
  return moods.flatMap((a) =>
    moods.filter((b) => b > a && ontology.opposedTo(idOf(a)).has(idOf(b))).map((b) => [a, b] as const),
  );
}

type Cut = Readonly<{ at: number; change: number }>;

/** Indices at which a new level begins, and by how much it differs from the one before. */
function cuts(values: readonly number[], minSide: number, rule: ShiftRule): readonly Cut[] {
  const levels = new Levels(values);
  const edges = [0, ...levels.steps(minSide), values.length];
  for (;;) {
    let weakest = -1;
    let least = 1;
    for (let i = 1; i < edges.length - 1; i++) {
      const { change, error } = levels.step(edges[i - 1], edges[i], edges[i + 1]);
      const strength = Math.min(
        change / rule.minChange,
        error > 0 ? change / error / rule.minContrast : Infinity,
      );
      if (strength < least) [weakest, least] = [i, strength];
    }
    if (weakest < 0) break;
    edges.splice(weakest, 1);
  }
  for (let i = 1; i < edges.length - 1; i++)
    edges[i] = levels.bestCut(edges[i - 1], edges[i + 1], minSide) ?? edges[i];
  return edges.slice(1, -1).flatMap((at, i) => {
    const before = levels.mean(edges[i], at);
    const after = levels.mean(at, edges[i + 2]);
    return before * after < 0 ? [{ at, change: after - before }] : [];
  });
}

/** Means and scatter of any stretch of a series in constant time. */
class Levels {
  private readonly sums: Float64Array;
  private readonly squares: Float64Array;

  constructor(private readonly values: readonly number[]) {
    this.sums = prefix(values);
    this.squares = prefix(values.map((value) => value * value));
  }

  mean(from: number, to: number): number {
    return (this.sums[to] - this.sums[from]) / (to - from);
  }

  /** Places where the means of `side` values before and after differ more than anywhere within `side` of them. */
  steps(side: number): number[] {
    const { length } = this.values;
    const sizes = new Float64Array(length + 1);
    for (let at = side; at + side <= length; at++)
      sizes[at] = Math.abs(this.mean(at, at + side) - this.mean(at - side, at));
    const found: number[] = [];
    for (let at = side; at + side <= length; at++) {
      const from = Math.max(0, at - side + 1);
      const peak = sizes.subarray(from, at + side).reduce((a, b) => Math.max(a, b), 0);
      const last = found.at(-1);
      if (sizes[at] > 0 && sizes[at] === peak && (last === undefined || at - last >= side)) found.push(at);
    }
    return found;
  }

  /** Difference of the levels round a cut, and its standard error. */
  step(from: number, at: number, to: number): Readonly<{ change: number; error: number }> {
    // Windows overlap by half, so that only every second one is independent.
    const rest = Math.max(0, this.#scatter(from, at) + this.#scatter(at, to));
    const variance = (2 * rest) / Math.max(1, to - from - 2);
    return {
      change: Math.abs(this.mean(at, to) - this.mean(from, at)),
      error: Math.sqrt(variance * (1 / (at - from) + 1 / (to - at))),
    };
  }

  /** The cut that leaves the least scatter on both sides; undefined if there is no room for one. */
  bestCut(from: number, to: number, side: number): number | undefined {
    let best: number | undefined;
    let least = Infinity;
    for (let at = from + side; at + side <= to; at++) {
      const rest = this.#scatter(from, at) + this.#scatter(at, to);
      if (rest < least) [best, least] = [at, rest];
    }
    return best;
  }

  #scatter(from: number, to: number): number {
    return this.squares[to] - this.squares[from] - (to - from) * this.mean(from, to) ** 2;
  }
}

function prefix(values: readonly number[]): Float64Array {
  const sums = new Float64Array(values.length + 1);
  for (let i = 0; i < values.length; i++) sums[i + 1] = sums[i] + values[i];
  return sums;
}
