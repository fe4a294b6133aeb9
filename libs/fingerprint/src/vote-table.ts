import {
  anchorOfDetail,
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
/** Largest number of hits that take part in the exact count. */
const mostSurvivors = 6000;
/** Difference of two pairs' anchor frequencies, in bins, beyond which a hit is chance. */
const pairBinTolerance = 0.9;

/**
 * Counts which alignments of query and index the landmark hits agree on.
 *
 * Feed it every posting found (`add`), then ask for `proposals`. The reference side is one axis of 32-bit positions on
 * which the caller has laid out all its documents with gaps between them (at least 4,096 frames keep votes apart).
 */
export class VoteTable {
  private readonly entries: QueryLandmarks;
  private readonly isPair: Uint8Array;
  private readonly anchors: Float32Array;
  private readonly logSpans: Float32Array;
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
    this.isPair = new Uint8Array(count);
    this.anchors = new Float32Array(count);
    this.logSpans = new Float32Array(count);
    const decoded: DecodedHash = { isPair: false, anchor: 0, logSpan: 0 };
    for (let i = 0; i < count; i++) {
      decodeHash(query.hashes[i], decoded);
      this.isPair[i] = decoded.isPair ? 1 : 0;
      this.anchors[i] = decoded.isPair
        ? decoded.anchor - binOfPitch(query.pitches[i])
        : query.pitches[i] - decoded.anchor;
      this.logSpans[i] = decoded.isPair ? 0 : decoded.logSpan - Math.log(query.spans[i]);
    }
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
    let logSpeed = 0;
    let pitch = 0;
    if (this.isPair[entry] === 1) {
      const difference = this.anchors[entry] + anchorOfDetail.pair[detail];
      if (difference > pairBinTolerance || difference < -pairBinTolerance) return;
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
    this.hitPlace[at] = position + Math.exp(logSpeed) * (this.middle - this.entries.frames[entry]);
  }

  /** Gives at most `limit` alignments, most votes first. */
  proposals(limit: number): readonly Proposal[] {
    if (this.hits === 0) return [];
    const bits = Math.min(20, Math.max(10, Math.ceil(Math.log2(this.hits)) + 2));
    const cells = [0, 1].map((grid) => this.cellsOf(grid, bits));
    const counts = cells.map((grid) => countCells(grid, 1 << bits));
    const best = new Uint16Array(this.hits);
    for (let i = 0; i < this.hits; i++) best[i] = Math.max(counts[0][cells[0][i]], counts[1][cells[1][i]]);
    const threshold = Math.max(2, survivorThreshold(best));
    const survivors: number[] = [];
    for (let i = 0; i < this.hits; i++) if (best[i] >= threshold) survivors.push(i);
    return this.refine(this.group(survivors, 2 * limit), survivors, limit);
  }

  /** Cell of every hit in one of two grids that are shifted by half a cell. */
  private cellsOf(grid: number, bits: number): Uint32Array {
    const out = new Uint32Array(this.hits);
    for (let i = 0; i < this.hits; i++) out[i] = hashCell(this.keyOf(i, grid), bits);
    return out;
  }

  /** Exact name of the cell of a hit, as an integer below 2^53. */
  private keyOf(i: number, grid: number): number {
    const shift = grid === 0 ? 0 : 0.5;
    if (this.isPair[this.hitEntry[i]] === 1) {
      return (Math.floor(this.hitPlace[i] / pairOffsetCell + shift) + 65_536) * 4 + 1;
    }
    const place = Math.floor(this.hitPlace[i] / tripleOffsetCell + shift) + 4096;
    const speed = Math.floor(this.hitLogSpeed[i] / speedCell + shift) + 16;
    const pitch = Math.floor(this.hitPitch[i] / pitchCell + shift) + 16;
    return ((place * 32 + speed) * 32 + pitch) * 4;
  }

  /** Survivors that share an exact cell, largest groups first. */
  private group(survivors: readonly number[], limit: number): number[][] {
    const groups: number[][] = [];
    for (const grid of [0, 1]) {
      const byCell = new Map<number, number[]>();
      for (const i of survivors) {
        const key = this.keyOf(i, grid);
        const group = byCell.get(key);
        if (group) group.push(i);
        else byCell.set(key, [i]);
      }
      for (const group of byCell.values()) if (group.length >= 2) groups.push(group);
    }
    groups.sort((a, b) => b.length - a.length);
    return groups.slice(0, limit * 2);
  }

  private refine(
    groups: readonly (readonly number[])[],
    survivors: readonly number[],
    limit: number,
  ): readonly Proposal[] {
    const found: Proposal[] = [];
    for (const group of groups) {
      if (this.distinctFrames(group) < 2) continue;
      const proposal = this.fit(group, survivors);
      if (proposal && !found.some((other) => sameLine(other, proposal))) found.push(proposal);
    }
    found.sort((a, b) => b.votes - a.votes);
    return found.slice(0, limit);
  }

  private distinctFrames(group: readonly number[]): number {
    return new Set(group.map((i) => this.entries.frames[this.hitEntry[i]])).size;
  }

  /** Fits `position = O + R * frame` to the hits near the group's line. */
  private fit(group: readonly number[], survivors: readonly number[]): Proposal | undefined {
    const { frames } = this.entries;
    const pitch = median(group.map((i) => this.hitPitch[i]));
    const logSpeed = median(group.map((i) => this.hitLogSpeed[i]));
    let speed = Math.exp(logSpeed);
    let offset = median(group.map((i) => this.hitPosition[i] - speed * frames[this.hitEntry[i]]));
    const near = survivors.filter(
      (i) =>
        Math.abs(this.hitPitch[i] - pitch) < pitchCell &&
        Math.abs(this.hitLogSpeed[i] - logSpeed) < 3 * speedCell &&
        Math.abs(this.hitPosition[i] - offset - speed * frames[this.hitEntry[i]]) < 2 * tripleOffsetCell,
    );
    const errorOf = (i: number): number => this.hitPosition[i] - offset - speed * frames[this.hitEntry[i]];
    if (this.isPair[this.hitEntry[group[0]]] === 0) {
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

function hashCell(key: number, bits: number): number {
  const low = key >>> 0;
  const high = (key / 4_294_967_296) >>> 0;
  return Math.imul(low ^ Math.imul(high, 0x9e3779b1) ^ (low >>> 15), 0x85ebca6b) >>> (32 - bits);
}

function countCells(cells: Uint32Array, size: number): Uint16Array {
  const counts = new Uint16Array(size);
  for (let i = 0; i < cells.length; i++) if (counts[cells[i]] < 65_535) counts[cells[i]]++;
  return counts;
}

/** Least count that leaves no more than `mostSurvivors` hits. */
function survivorThreshold(best: Uint16Array): number {
  const histogram = new Uint32Array(256);
  for (let i = 0; i < best.length; i++) histogram[Math.min(255, best[i])]++;
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
