import { expectedVotes, surpriseOf, tripleCell, voteCell, type VoteKind } from './vote-cells.js';

/** Limits of what counts as a changed version of the same audio. */
export const changeLimits = {
  /** Largest logarithm of the speed, both ways (about +-33 %). */
  logSpeed: 0.29,
  /** Largest change of pitch, both ways, in steps (+-4.3 semitones). */
  pitch: 13,
} as const;

/**
 * A line on which landmarks of the query and of the index agree: what sounds at query frame `q` is at
 * `position + speed * q` of the index. Not yet verified.
 */
export type Proposal = Readonly<{
  /** Index position (frame of the caller's axis) that sounds at the query's frame 0; may lie before a document's start. */
  position: number;
  /** A position inside the document: where the agreeing landmarks lie. */
  place: number;
  /** Reference frames per query frame. */
  speed: number;
  /** Query pitch above reference, in steps of 1/36 octave. */
  pitch: number;
  /** Landmarks that agree. */
  votes: number;
}>;

/** Votes of one kind, parallel columns in order of place. */
export type Votes = Readonly<{
  kind: VoteKind;
  /** Query frame of the landmark. */
  frames: Float64Array;
  /** Where the posting lies on the axis. */
  positions: Float64Array;
  /** Where the query's middle lies on the axis if the posting is a true one. */
  places: Float64Array;
  logSpeeds: Float64Array;
  pitches: Float64Array;
  /** Hits in the stretch of the axis around each. */
  crowds: Uint32Array;
}>;

/** Votes that share a cell: positions in the columns. */
type Group = Readonly<{ votes: Votes; members: readonly number[]; surprise: number }>;

/**
 * Fits lines to the votes.
 *
 * @param middle half the query's length in frames
 * @returns at most `limit` lines, those that chance explains least first
 */
export function proposeLines(all: readonly Votes[], middle: number, limit: number): readonly Proposal[] {
  const groups = all.flatMap((votes) => [
    ...groupsOf(votes, 0, 2 * limit),
    ...groupsOf(votes, 0.5, 2 * limit),
  ]);
  groups.sort((a, b) => b.surprise - a.surprise);
  const found: Proposal[] = [];
  for (const { votes, members } of groups.slice(0, 2 * limit)) {
    if (members.every((i) => votes.frames[i] === votes.frames[members[0]])) continue;
    const proposal = fit(votes, members, middle);
    if (proposal && !found.some((other) => sameLine(other, proposal))) found.push(proposal);
  }
  return found.slice(0, limit);
}

/** Groups votes by cell and gives the most surprising groups of two or more, at most `limit`. */
function groupsOf(votes: Votes, shift: number, limit: number): readonly Group[] {
  const { places, logSpeeds, pitches, crowds, kind } = votes;
  const count = places.length;
  const mask = 2 ** Math.max(4, Math.ceil(Math.log2(2 * count + 1))) - 1;
  // Open addressing: vote + 1 that stands for a cell, and for each vote the one that stands for its cell.
  const slots = new Int32Array(mask + 1);
  const names = new Uint32Array(count);
  const heads = new Int32Array(count);
  const sizes = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const name =
      kind === 'pair'
        ? Math.floor(places[i] / voteCell.pairFrames + shift)
        : tripleCell(places[i], logSpeeds[i], pitches[i], shift);
    names[i] = name;
    let slot = (Math.imul(names[i], 0x9e3779b1) >>> 7) & mask;
    while (slots[slot] !== 0 && names[slots[slot] - 1] !== names[i]) slot = (slot + 1) & mask;
    if (slots[slot] === 0) slots[slot] = i + 1;
    heads[i] = slots[slot] - 1;
    sizes[heads[i]]++;
  }
  const cells: { head: number; surprise: number }[] = [];
  for (let i = 0; i < count; i++) {
    if (sizes[i] < 2) continue;
    cells.push({ head: i, surprise: surpriseOf(sizes[i], expectedVotes(kind, crowds[i])) });
  }
  cells.sort((a, b) => b.surprise - a.surprise);
  const members = new Map<number, number[]>(cells.slice(0, limit).map(({ head }) => [head, []]));
  for (let i = 0; i < count; i++) if (sizes[heads[i]] > 1) members.get(heads[i])?.push(i);
  return cells
    .slice(0, limit)
    .map(({ head, surprise }) => ({ votes, surprise, members: members.get(head) ?? [] }));
}

/** Fits `position = O + R * frame` to the votes near the group's line. */
function fit(votes: Votes, group: readonly number[], middle: number): Proposal | undefined {
  const { frames, positions, logSpeeds, pitches } = votes;
  const pitch = median(group.map((i) => pitches[i]));
  const logSpeed = median(group.map((i) => logSpeeds[i]));
  let speed = Math.exp(logSpeed);
  let offset = median(group.map((i) => positions[i] - speed * frames[i]));
  const near = votesNear(votes.places, offset + speed * middle).filter(
    (i) =>
      Math.abs(pitches[i] - pitch) < voteCell.pitch &&
      Math.abs(logSpeeds[i] - logSpeed) < 3 * voteCell.logSpeed,
  );
  const errorOf = (i: number): number => positions[i] - offset - speed * frames[i];
  if (votes.kind === 'triple') {
    for (const width of [10, 5, 3, 2]) {
      const inliers = near.filter((i) => Math.abs(errorOf(i)) < width);
      if (inliers.length < 4) break;
      const line = leastSquares(
        inliers.map((i) => frames[i]),
        inliers.map((i) => positions[i]),
        speed,
      );
      if (Math.abs(Math.log(line.slope)) > changeLimits.logSpeed) break;
      speed = line.slope;
      offset = line.offset;
    }
  }
  const agreeing = near.filter((i) => Math.abs(errorOf(i)) < 3);
  if (agreeing.length < 2) return undefined;
  return {
    position: offset,
    place: median(agreeing.map((i) => positions[i])),
    speed,
    pitch: median(agreeing.map((i) => pitches[i])),
    votes: agreeing.length,
  };
}

/** Votes within two cells of a place. */
function votesNear(places: Float64Array, place: number): readonly number[] {
  const reach = 2 * voteCell.tripleFrames;
  let low = 0;
  let high = places.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (places[middle] < place - reach) low = middle + 1;
    else high = middle;
  }
  const near: number[] = [];
  for (; low < places.length && places[low] <= place + reach; low++) near.push(low);
  return near;
}

function sameLine(a: Proposal, b: Proposal): boolean {
  return (
    Math.abs(a.place - b.place) < 4096 &&
    Math.abs(a.position - b.position) < 6 &&
    Math.abs(a.speed - b.speed) < 0.02 &&
    Math.abs(a.pitch - b.pitch) < 1
  );
}

function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

function leastSquares(
  x: readonly number[],
  y: readonly number[],
  fallbackSlope: number,
): { slope: number; offset: number } {
  const n = x.length;
  const meanX = x.reduce((sum, v) => sum + v, 0) / n;
  const meanY = y.reduce((sum, v) => sum + v, 0) / n;
  let xx = 0;
  let xy = 0;
  let least = Infinity;
  let most = -Infinity;
  for (let i = 0; i < n; i++) {
    xx += (x[i] - meanX) ** 2;
    xy += (x[i] - meanX) * (y[i] - meanY);
    least = Math.min(least, x[i]);
    most = Math.max(most, x[i]);
  }
  const slope = most - least > 60 ? xy / xx : fallbackSlope;
  return { slope, offset: meanY - slope * meanX };
}
