import {
  anchorOfDetail,
  decodeHash,
  logSpanOfDetail,
  pairDifferenceError,
  binOfPitch,
  type DecodedHash,
} from './landmark-cells.js';
import type { QueryLandmarks } from './landmarks.js';
import { tripleCell } from './vote-cells.js';
import { PairHits, TripleHits } from './vote-hits.js';
import { changeLimits, proposeLines, type Proposal, type Votes } from './vote-lines.js';
import { pairSurvivors, tripleSurvivors } from './vote-survivors.js';

export { changeLimits, type Proposal } from './vote-lines.js';

/** Difference of two pairs' anchor frequencies, and of their distances, in bins, beyond which a hit is chance. */
const pairTolerance = { anchor: 0.6, difference: 0.8 } as const;

/** Postings that a lookup found, parallel arrays of which the first `count` entries count. */
export type FoundPostings = Readonly<{
  /** Position in the query's arrays of the hash that found the posting; equal ones side by side are read fastest. */
  entries: Uint32Array;
  /** Where the posting lies. */
  positions: Uint32Array;
  details: Uint8Array;
  count: number;
}>;

/** Which positions take part: bit-shifted positions of postings with a zero are left out. */
export type PositionMask = Readonly<{ bits: number; visible: Uint8Array }>;

/** Position inside a pair's cell by detail byte, relative to the tolerance. */
const scaledAnchor = anchorOfDetail.pair.map((anchor) => anchor / pairTolerance.anchor);
const scaledDifference = new Float32Array(256).map(
  (_, detail) => (pairDifferenceError(0, 0) - pairDifferenceError(0, detail)) / pairTolerance.difference,
);
const speedOfDetail = logSpanOfDetail.map(Math.exp);

/**
 * Counts which alignments of query and index the landmark hits agree on.
 *
 * Feed it every posting found (`add`, `addAll`), then ask for `proposals`. The reference side is one axis of 32-bit
 * positions on which the caller has laid out all its documents with gaps between them (at least 4,096 frames keep votes
 * apart). A table can be used again ({@link VoteTable.restart}), which saves the memory of its hits.
 */
export class VoteTable {
  private entries: QueryLandmarks;
  /** What each entry's hash says, filled when its first posting comes: 0 unknown, 1 triple, 2 pair. */
  private kinds: Uint8Array;
  private anchors: Float32Array;
  /** Where a pair's bin difference lies in its cell, relative to the tolerance. */
  private differences: Float32Array;
  private logSpans: Float32Array;
  /** Exponential of `logSpans`. */
  private speeds: Float32Array;
  private middle: number;
  private readonly decoded: DecodedHash = { isPair: false, anchor: 0, logSpan: 0 };
  private readonly pairs = new PairHits();
  private readonly triples = new TripleHits();
  private readonly one = {
    entries: new Uint32Array(1),
    positions: new Uint32Array(1),
    details: new Uint8Array(1),
    count: 1,
  };

  /** @param lengthFrames length of the query in frames */
  constructor(query: QueryLandmarks, lengthFrames: number) {
    const count = query.hashes.length;
    this.entries = query;
    this.middle = Math.round(lengthFrames / 2);
    this.kinds = new Uint8Array(count);
    this.anchors = new Float32Array(count);
    this.differences = new Float32Array(count);
    this.logSpans = new Float32Array(count);
    this.speeds = new Float32Array(count);
  }

  /** Forgets everything and takes another query. */
  restart(query: QueryLandmarks, lengthFrames: number): this {
    const count = query.hashes.length;
    this.entries = query;
    this.middle = Math.round(lengthFrames / 2);
    if (this.kinds.length < count) {
      this.kinds = new Uint8Array(count);
      this.anchors = new Float32Array(count);
      this.differences = new Float32Array(count);
      this.logSpans = new Float32Array(count);
      this.speeds = new Float32Array(count);
    } else this.kinds.fill(0, 0, count);
    this.pairs.length = 0;
    this.triples.length = 0;
    return this;
  }

  /** Hits counted so far. */
  get size(): number {
    return this.pairs.length + this.triples.length;
  }

  /**
   * Adds one posting.
   *
   * @param entry position in the query's arrays of the hash that found it
   * @param position frame of the posting's anchor on the caller's axis
   * @param detail the posting's detail byte
   */
  add(entry: number, position: number, detail: number): void {
    const { one } = this;
    one.entries[0] = entry;
    one.positions[0] = position;
    one.details[0] = detail;
    this.addAll(one, 0);
  }

  /**
   * Adds postings of one document, or of many that lie side by side.
   *
   * @param base added to every position
   * @param mask which positions take part, before `base` is added; absent: all
   */
  addAll(found: FoundPostings, base: number, mask?: PositionMask): void {
    const { entries, count } = found;
    this.pairs.reserve(count);
    this.triples.reserve(count);
    for (let from = 0; from < count;) {
      const entry = entries[from];
      let to = from + 1;
      while (to < count && entries[to] === entry) to++;
      if ((this.kinds[entry] || this.decode(entry)) === 2) this.addPairs(found, from, to, base, mask);
      else this.addTriples(found, from, to, base, mask);
      from = to;
    }
  }

  /** Gives at most `limit` alignments, those that chance explains least first. */
  proposals(limit: number): readonly Proposal[] {
    const votes: Votes[] = [];
    if (this.pairs.length > 0) votes.push(this.pairVotes());
    if (this.triples.length > 0) votes.push(this.tripleVotes());
    return proposeLines(votes, this.middle, limit);
  }

  /** Adds the postings from `from` up to `to`, all of one pair of the query. */
  private addPairs(found: FoundPostings, from: number, to: number, base: number, mask?: PositionMask): void {
    const { positions, details } = found;
    const entry = found.entries[from];
    const anchor = this.anchors[entry];
    const difference = this.differences[entry];
    const shift = base + this.middle - this.entries.frames[entry];
    const { entries, places } = this.pairs;
    let at = this.pairs.length;
    for (let i = from; i < to; i++) {
      const detail = details[i];
      const first = anchor + scaledAnchor[detail];
      const second = difference - scaledDifference[detail];
      if (first * first + second * second > 1) continue;
      const position = positions[i];
      if (mask && mask.visible[position >>> mask.bits] === 0) continue;
      entries[at] = entry;
      places[at++] = position + shift;
    }
    this.pairs.length = at;
  }

  /** Adds the postings from `from` up to `to`, all of one triple of the query. */
  private addTriples(
    found: FoundPostings,
    from: number,
    to: number,
    base: number,
    mask?: PositionMask,
  ): void {
    const entry = found.entries[from];
    const logSpan = this.logSpans[entry];
    const spanSpeed = this.speeds[entry];
    const anchor = this.anchors[entry];
    const rest = this.middle - this.entries.frames[entry];
    const { entries, positions, details, places, cells } = this.triples;
    const [first, second] = cells;
    let at = this.triples.length;
    for (let i = from; i < to; i++) {
      const detail = found.details[i];
      const logSpeed = logSpan + logSpanOfDetail[detail];
      if (logSpeed > changeLimits.logSpeed || logSpeed < -changeLimits.logSpeed) continue;
      const pitch = anchor - anchorOfDetail.triple[detail];
      if (pitch > changeLimits.pitch || pitch < -changeLimits.pitch) continue;
      let position = found.positions[i];
      if (mask && mask.visible[position >>> mask.bits] === 0) continue;
      position += base;
      const place = position + spanSpeed * speedOfDetail[detail] * rest;
      entries[at] = entry;
      positions[at] = position;
      details[at] = detail;
      places[at] = place;
      first[at] = tripleCell(place, logSpeed, pitch, 0);
      second[at++] = tripleCell(place, logSpeed, pitch, 0.5);
    }
    this.triples.length = at;
  }

  private decode(entry: number): number {
    const { decoded, entries } = this;
    decodeHash(entries.hashes[entry], decoded);
    const pitch = entries.pitches[entry];
    if (decoded.isPair) {
      this.anchors[entry] = (decoded.anchor - binOfPitch(pitch)) / pairTolerance.anchor;
      this.differences[entry] = pairDifferenceError(entries.details[entry], 0) / pairTolerance.difference;
      return (this.kinds[entry] = 2);
    }
    this.anchors[entry] = pitch - decoded.anchor;
    this.logSpans[entry] = decoded.logSpan - Math.log(entries.spans[entry]);
    this.speeds[entry] = Math.exp(this.logSpans[entry]);
    return (this.kinds[entry] = 1);
  }

  private pairVotes(): Votes {
    const { hits, crowds } = pairSurvivors(this.pairs);
    const { entries, places } = this.pairs;
    const votes = newVotes('pair', hits.length);
    orderByPlace(places, hits).forEach((k, i) => {
      const hit = hits[k];
      votes.frames[i] = this.entries.frames[entries[hit]];
      votes.places[i] = places[hit];
      votes.positions[i] = places[hit] - this.middle + votes.frames[i];
      votes.crowds[i] = crowds[k];
    });
    return votes;
  }

  private tripleVotes(): Votes {
    const { hits, crowds } = tripleSurvivors(this.triples);
    const { entries, positions, details, places } = this.triples;
    const votes = newVotes('triple', hits.length);
    orderByPlace(places, hits).forEach((k, i) => {
      const hit = hits[k];
      const entry = entries[hit];
      const detail = details[hit];
      votes.frames[i] = this.entries.frames[entry];
      votes.positions[i] = positions[hit];
      votes.logSpeeds[i] = this.logSpans[entry] + logSpanOfDetail[detail];
      votes.pitches[i] = this.anchors[entry] - anchorOfDetail.triple[detail];
      const rest = this.middle - votes.frames[i];
      votes.places[i] = positions[hit] + this.speeds[entry] * speedOfDetail[detail] * rest;
      votes.crowds[i] = crowds[k];
    });
    return votes;
  }
}

function newVotes(kind: Votes['kind'], count: number): Votes {
  return {
    kind,
    frames: new Float64Array(count),
    positions: new Float64Array(count),
    places: new Float64Array(count),
    logSpeeds: new Float64Array(count),
    pitches: new Float64Array(count),
    crowds: new Uint32Array(count),
  };
}

/** Order of the hits by place: positions in `hits`. */
function orderByPlace(places: Uint32Array, hits: Uint32Array): Uint32Array {
  // One number for place and hit sorts natively; places have 32 bits and survivors fewer than 2^20.
  const keys = new Float64Array(hits.length);
  for (let i = 0; i < hits.length; i++) keys[i] = places[hits[i]] * 2 ** 20 + i;
  keys.sort();
  const order = new Uint32Array(hits.length);
  for (let i = 0; i < hits.length; i++) order[i] = keys[i] % 2 ** 20;
  return order;
}
