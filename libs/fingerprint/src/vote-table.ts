import {
  anchorOfDetail,
  pairDifferenceError,
  binOfPitch,
  decodeHash,
  logSpanOfDetail,
  type DecodedHash,
} from './landmark-cells.js';
import type { QueryLandmarks } from './landmarks.js';

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

/** Limits of what counts as a changed version of the same audio. */
export const changeLimits = {
  /** Largest logarithm of the speed, both ways (about +-33 %). */
  logSpeed: 0.29,
  /** Largest change of pitch, both ways, in steps (+-4.3 semitones). */
  pitch: 13,
} as const;

const speedCell = 0.03;
const pitchCell = 1.5;
const tripleOffsetCell = 24;
const pairOffsetCell = 2;
/** Stretch of the axis over which hits are counted to tell what chance gives, and how many stretches are told apart. */
const crowdFrames = 2048;
const crowdMask = 0xffff;
/** Share of a stretch's hits that fall into one cell by chance. */
const pairCellShare = pairOffsetCell / crowdFrames;
const tripleCellShare = tripleOffsetCell / crowdFrames / 80;
/** Votes that chance gives at least. */
const leastExpected = 0.2;
/** Steps of surprise that are told apart, per unit. */
const surpriseScale = 8;
/** Largest number of hits that take part in the exact count. */
const mostSurvivors = 6000;
/** Difference of two pairs' anchor frequencies, in bins, beyond which a hit is chance. */
const pairAnchorTolerance = 0.6;
const pairDifferenceTolerance = 0.8;

/**
 * Counts which alignments of query and index the landmark hits agree on.
 *
 * Feed it every posting found (`add`), then ask for `proposals`. The reference side is one axis of 32-bit positions on
 * which the caller has laid out all its documents with gaps between them (at least 4,096 frames keep votes apart).
 */
export class VoteTable {
  private readonly entries: QueryLandmarks;
  /** What each entry's hash says, filled when its first posting comes: 0 unknown, 1 triple, 2 pair. */
  private readonly kinds: Uint8Array;
  private readonly anchors: Float32Array;
  private readonly logSpans: Float32Array;
  private readonly decoded: DecodedHash = { isPair: false, anchor: 0, logSpan: 0 };
  private readonly middle: number;
  private hitEntry = new Uint32Array(4096);
  private hitPosition = new Uint32Array(4096);
  private hitPlace = new Float64Array(4096);
  private hitLogSpeed = new Float32Array(4096);
  private hitPitch = new Float32Array(4096);
  private hits = 0;

  /** @param lengthFrames length of the query in frames */
  constructor(query: QueryLandmarks, lengthFrames: number) {
    const count = query.hashes.length;
    this.entries = query;
    this.middle = lengthFrames / 2;
    this.kinds = new Uint8Array(count);
    this.anchors = new Float32Array(count);
    this.logSpans = new Float32Array(count);
  }

  /** Hits counted so far. */
  get size(): number {
    return this.hits;
  }

  /**
   * Adds one posting.
   *
   * @param entry position in the query's arrays of the hash that found it
   * @param position frame of the posting's anchor on the caller's axis
   * @param detail the posting's detail byte
   */
  add(entry: number, position: number, detail: number): void {
    const kind = this.kinds[entry] === 0 ? this.decode(entry) : this.kinds[entry];
    let logSpeed = 0;
    let pitch = 0;
    if (kind === 2) {
      const difference = this.anchors[entry] + anchorOfDetail.pair[detail];
      const first = difference / pairAnchorTolerance;
      const second = pairDifferenceError(this.entries.details[entry], detail) / pairDifferenceTolerance;
      if (first * first + second * second > 1) return;
    } else {
      logSpeed = this.logSpans[entry] + logSpanOfDetail[detail];
      if (logSpeed > changeLimits.logSpeed || logSpeed < -changeLimits.logSpeed) return;
      pitch = this.anchors[entry] - anchorOfDetail.triple[detail];
      if (pitch > changeLimits.pitch || pitch < -changeLimits.pitch) return;
    }
    if (this.hits === this.hitEntry.length) this.grow();
    const at = this.hits++;
    this.hitEntry[at] = entry;
    this.hitPosition[at] = position;
    this.hitLogSpeed[at] = logSpeed;
    this.hitPitch[at] = pitch;
    const rest = this.middle - this.entries.frames[entry];
    this.hitPlace[at] = position + (kind === 2 ? rest : Math.exp(logSpeed) * rest);
  }

  private decode(entry: number): number {
    const { decoded, entries } = this;
    decodeHash(entries.hashes[entry], decoded);
    const pitch = entries.pitches[entry];
    this.anchors[entry] = decoded.isPair ? decoded.anchor - binOfPitch(pitch) : pitch - decoded.anchor;
    this.logSpans[entry] = decoded.isPair ? 0 : decoded.logSpan - Math.log(entries.spans[entry]);
    return (this.kinds[entry] = decoded.isPair ? 2 : 1);
  }

  /** Gives at most `limit` alignments, those that chance explains least first. */
  proposals(limit: number): readonly Proposal[] {
    if (this.hits === 0) return [];
    const bits = Math.min(20, Math.max(10, Math.ceil(Math.log2(this.hits)) + 2));
    const crowds = this.countCrowds();
    const best = this.bestSurprises(bits, crowds);
    const threshold = Math.max(1, survivorThreshold(best));
    let count = 0;
    for (let i = 0; i < this.hits; i++) if (best[i] >= threshold) count++;
    const survivors = new Uint32Array(count);
    count = 0;
    for (let i = 0; i < this.hits; i++) if (best[i] >= threshold) survivors[count++] = i;
    survivors.sort((a, b) => this.hitPlace[a] - this.hitPlace[b]);
    return this.refine(this.group(survivors, 2 * limit, crowds), survivors, limit);
  }

  /** Hits per stretch of the axis: in music that has what the query has everywhere, chance gives many votes. */
  private countCrowds(): Uint32Array {
    const crowds = new Uint32Array(crowdMask + 1);
    for (let i = 0; i < this.hits; i++) crowds[this.crowdOf(i)]++;
    return crowds;
  }

  private crowdOf(i: number): number {
    return Math.floor(this.hitPlace[i] / crowdFrames) & crowdMask;
  }

  /** For every hit how surprising its cell's count is, in the better of two grids that are shifted by half a cell. */
  private bestSurprises(bits: number, crowds: Uint32Array): Uint8Array {
    const best = new Uint8Array(this.hits);
    const cells = new Uint32Array(this.hits);
    const counts = new Uint16Array(1 << bits);
    for (const grid of [0, 1]) {
      counts.fill(0);
      for (let i = 0; i < this.hits; i++) {
        const cell = this.cellOf(i, grid * 0.5) >>> (32 - bits);
        cells[i] = cell;
        if (counts[cell] < 65_535) counts[cell]++;
      }
      for (let i = 0; i < this.hits; i++) {
        if (counts[cells[i]] < 2) continue;
        const value = Math.min(255, Math.floor(surpriseScale * this.surprise(counts[cells[i]], i, crowds)));
        if (value > best[i]) best[i] = value;
      }
    }
    return best;
  }

  /** Logarithm of how much likelier a count is for a true alignment than by chance among so many hits around (Poisson). */
  private surprise(count: number, hit: number, crowds: Uint32Array): number {
    const isPair = this.kinds[this.hitEntry[hit]] === 2;
    const expected = leastExpected + crowds[this.crowdOf(hit)] * (isPair ? pairCellShare : tripleCellShare);
    return count <= expected ? 0 : count * Math.log(count / expected) - count + expected;
  }

  /** Name of the cell of a hit, mixed to 32 bits; two cells share a name by chance one time in 2^32. */
  private cellOf(i: number, shift: number): number {
    let cell: number;
    if (this.kinds[this.hitEntry[i]] === 2) {
      cell = Math.imul(Math.floor(this.hitPlace[i] / pairOffsetCell + shift), 0x9e3779b1) ^ 0x55555555;
    } else {
      const speed = Math.floor(this.hitLogSpeed[i] / speedCell + shift);
      const pitch = Math.floor(this.hitPitch[i] / pitchCell + shift);
      cell =
        Math.imul(Math.floor(this.hitPlace[i] / tripleOffsetCell + shift), 0x85ebca6b) +
        Math.imul(speed * 64 + pitch, 0xc2b2ae35);
    }
    cell = Math.imul(cell ^ (cell >>> 15), 0x2c1b3c6d);
    return (cell ^ (cell >>> 13)) >>> 0;
  }

  /** Survivors that share a cell, most surprising groups first. */
  private group(survivors: Uint32Array, limit: number, crowds: Uint32Array): number[][] {
    const groups: { members: number[]; surprise: number }[] = [];
    for (const shift of [0, 0.5]) {
      const byCell = new Map<number, number[]>();
      for (const i of survivors) {
        const key = this.cellOf(i, shift);
        const group = byCell.get(key);
        if (group) group.push(i);
        else byCell.set(key, [i]);
      }
      for (const members of byCell.values()) {
        if (members.length >= 2)
          groups.push({ members, surprise: this.surprise(members.length, members[0], crowds) });
      }
    }
    groups.sort((a, b) => b.surprise - a.surprise);
    return groups.slice(0, limit).map(({ members }) => members);
  }

  private refine(
    groups: readonly (readonly number[])[],
    survivors: Uint32Array,
    limit: number,
  ): readonly Proposal[] {
    const found: Proposal[] = [];
    for (const group of groups) {
      if (this.distinctFrames(group) < 2) continue;
      const proposal = this.fit(group, survivors);
      if (proposal && !found.some((other) => sameLine(other, proposal))) found.push(proposal);
    }
    return found.slice(0, limit);
  }

  private distinctFrames(group: readonly number[]): number {
    return new Set(group.map((i) => this.entries.frames[this.hitEntry[i]])).size;
  }

  /** Fits `position = O + R * frame` to the hits near the group's line. */
  private fit(group: readonly number[], survivors: Uint32Array): Proposal | undefined {
    const { frames } = this.entries;
    const pitch = median(group.map((i) => this.hitPitch[i]));
    const logSpeed = median(group.map((i) => this.hitLogSpeed[i]));
    let speed = Math.exp(logSpeed);
    let offset = median(group.map((i) => this.hitPosition[i] - speed * frames[this.hitEntry[i]]));
    const near = this.survivorsNear(survivors, offset + speed * this.middle).filter(
      (i) =>
        Math.abs(this.hitPitch[i] - pitch) < pitchCell &&
        Math.abs(this.hitLogSpeed[i] - logSpeed) < 3 * speedCell,
    );
    const errorOf = (i: number): number => this.hitPosition[i] - offset - speed * frames[this.hitEntry[i]];
    if (this.kinds[this.hitEntry[group[0]]] === 1) {
      for (const width of [10, 5, 3, 2]) {
        const inliers = near.filter((i) => Math.abs(errorOf(i)) < width);
        if (inliers.length < 4) break;
        const line = leastSquares(
          inliers.map((i) => frames[this.hitEntry[i]]),
          inliers.map((i) => this.hitPosition[i]),
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
      place: median(agreeing.map((i) => this.hitPosition[i])),
      speed,
      pitch: median(agreeing.map((i) => this.hitPitch[i])),
      votes: agreeing.length,
    };
  }

  /** Survivors (sorted by place) within two cells of a place. */
  private survivorsNear(survivors: Uint32Array, place: number): readonly number[] {
    let low = 0;
    let high = survivors.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.hitPlace[survivors[middle]] < place - 2 * tripleOffsetCell) low = middle + 1;
      else high = middle;
    }
    const near: number[] = [];
    for (; low < survivors.length && this.hitPlace[survivors[low]] <= place + 2 * tripleOffsetCell; low++)
      near.push(survivors[low]);
    return near;
  }

  private grow(): void {
    const size = this.hitEntry.length * 2;
    const entry = new Uint32Array(size);
    entry.set(this.hitEntry);
    this.hitEntry = entry;
    const position = new Uint32Array(size);
    position.set(this.hitPosition);
    this.hitPosition = position;
    const place = new Float64Array(size);
    place.set(this.hitPlace);
    this.hitPlace = place;
    const logSpeed = new Float32Array(size);
    logSpeed.set(this.hitLogSpeed);
    this.hitLogSpeed = logSpeed;
    const pitch = new Float32Array(size);
    pitch.set(this.hitPitch);
    this.hitPitch = pitch;
  }
}

/** Least count that leaves no more than `mostSurvivors` hits. */
function survivorThreshold(best: Uint8Array): number {
  const histogram = new Uint32Array(256);
  for (let i = 0; i < best.length; i++) histogram[best[i]]++;
  let threshold = 255;
  let kept = 0;
  while (threshold > 1 && kept + histogram[threshold] <= mostSurvivors) kept += histogram[threshold--];
  return Math.min(255, threshold + 1);
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
