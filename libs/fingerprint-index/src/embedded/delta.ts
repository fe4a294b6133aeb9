import { unmixHash } from '@earmark/fingerprint';
import type { IndexChunk } from '../port.js';
import { IndexInputError } from '../errors.js';
import type { HitBatch, ProbeList } from './hits.js';
import { granuleBits, OrdinalSet, positionLimit, TrackTable } from './track-table.js';

const granule = 1 << granuleBits;

/** A track as one `add` call gives it: its chunks in order. */
export type TrackInput = Readonly<{ trackId: string; chunks: readonly IndexChunk[] }>;

/**
 * Groups chunks by track and puts each track's chunks in order.
 *
 * @throws {IndexInputError} for arrays of unequal length, a chunk given twice, a start that does not rise with the
 * ordinal, or a track of two catalogs
 */
export function groupByTrack(chunks: readonly IndexChunk[]): TrackInput[] {
  const byTrack = new Map<string, IndexChunk[]>();
  for (const chunk of chunks) {
    const list = byTrack.get(chunk.trackId);
    if (list) list.push(chunk);
    else byTrack.set(chunk.trackId, [chunk]);
  }
  return [...byTrack].map(([trackId, list]) => {
    const ordered = list.toSorted((a, b) => a.chunk - b.chunk);
    ordered.forEach((chunk, i) => {
      const problem = problemOf(chunk, ordered[0], i > 0 ? ordered[i - 1] : undefined);
      if (problem !== undefined) throw new IndexInputError(trackId, chunk.chunk, problem);
    });
    return { trackId, chunks: ordered };
  });
}

function problemOf(chunk: IndexChunk, first: IndexChunk, before: IndexChunk | undefined): string | undefined {
  const { hashes, frames, details } = chunk.landmarks;
  if (frames.length !== hashes.length || details.length !== hashes.length) return 'arrays of unequal length';
  if (!isCount(chunk.chunk) || !isCount(chunk.startFrame)) return 'ordinal or start is not a 32-bit count';
  if (chunk.tenantId !== first.tenantId || chunk.catalogId !== first.catalogId)
    return 'track of two catalogs';
  if (before && chunk.chunk === before.chunk) return 'given twice';
  if (before && chunk.startFrame < before.startFrame) return 'starts before the chunk before it';
  let last = 0;
  for (let i = 0; i < frames.length; i++) if (frames[i] > last) last = frames[i];
  if (chunk.startFrame - first.startFrame + last >= 2 ** 31) return 'track is too long for one file';
  return undefined;
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < 2 ** 32;
}

/**
 * The key under which postings are ordered, in memory and in files: the hash with its mixing undone. Cells that a query
 * probes together lie beside each other then, which saves a byte a posting and most page reads.
 */
export const keyOfHash = unmixHash;

/** The arrays of a delta, in shared memory so that a worker can write the segment while queries go on. */
export type DeltaArrays = Readonly<{
  hashes: Uint32Array;
  positions: Uint32Array;
  details: Uint8Array;
  count: number;
}>;

/**
 * What was added since the last segment was written: found through a hash table with chains, and in the log in case this
 * memory is lost.
 */
export class Delta {
  readonly tracks = new TrackTable();
  readonly dead = new OrdinalSet();
  private hashes: Uint32Array;
  private positions: Uint32Array;
  private details: Uint8Array;
  /** For each posting the one before it in its chain plus one, or 0. */
  private links: Int32Array;
  private heads: Int32Array;
  private headShift: number;
  private count = 0;
  /** Postings that the chains hold: those after it are linked when somebody asks. */
  private linked = 0;

  constructor(capacity = 1 << 13) {
    this.hashes = sharedUint32(capacity);
    this.positions = sharedUint32(capacity);
    this.details = new Uint8Array(new SharedArrayBuffer(capacity));
    this.links = new Int32Array(capacity);
    this.heads = new Int32Array(capacity);
    this.headShift = 32 - Math.log2(capacity);
  }

  /** Landmarks held, those of dead tracks included. */
  get landmarks(): number {
    return this.count;
  }

  get bytes(): number {
    return this.hashes.length * 17;
  }

  /** Takes a track in; returns its ordinal. The caller has checked it with {@link groupByTrack}. */
  add(input: TrackInput): number {
    const [first] = input.chunks;
    const total = input.chunks.reduce((sum, chunk) => sum + chunk.landmarks.hashes.length, 0);
    this.reserve(total);
    const base = this.tracks.positions;
    let end = 0;
    for (const { landmarks, startFrame } of input.chunks) {
      const offset = startFrame - first.startFrame;
      end = Math.max(end, offset + 1);
      const { hashes, frames, details } = landmarks;
      for (let i = 0; i < hashes.length; i++) {
        const frame = offset + frames[i];
        if (frame >= end) end = frame + 1;
        const at = this.count++;
        this.hashes[at] = keyOfHash(hashes[i]);
        this.positions[at] = base + frame;
        this.details[at] = details[i];
      }
    }
    return this.tracks.append({
      tenantId: first.tenantId,
      catalogId: first.catalogId,
      trackId: input.trackId,
      firstFrame: first.startFrame,
      // The free granule keeps alignments of neighbouring tracks apart.
      span: (Math.ceil(end / granule) + 1) * granule,
      landmarks: total,
      chunks: Uint32Array.from(input.chunks, (chunk) => chunk.chunk),
      startFrames: Uint32Array.from(input.chunks, (chunk) => chunk.startFrame),
    });
  }

  /** True when a track of this many frames no longer fits into 32-bit positions. */
  isFull(frames: number): boolean {
    return this.tracks.positions + frames + 2 * granule >= positionLimit;
  }

  /** Appends the postings of every probe to `hits`. */
  lookup(probes: ProbeList, hits: HitBatch): void {
    if (this.count === 0) return;
    while (this.linked < this.count) this.link(this.linked++);
    const { hashes: keys, entries, count } = probes;
    for (let probe = 0; probe < count; probe++) {
      const hash = keys[probe];
      let at = this.heads[Math.imul(hash, 0x9e3779b1) >>> this.headShift];
      while (at !== 0) {
        const i = at - 1;
        if (this.hashes[i] === hash) hits.push(entries[probe], this.positions[i], this.details[i]);
        at = this.links[i];
      }
    }
  }

  /** The postings as they are now, shared, not copied. */
  arrays(): DeltaArrays {
    const { hashes, positions, details, count } = this;
    return { hashes, positions, details, count };
  }

  private link(at: number): void {
    const bucket = Math.imul(this.hashes[at], 0x9e3779b1) >>> this.headShift;
    this.links[at] = this.heads[bucket];
    this.heads[bucket] = at + 1;
  }

  private reserve(extra: number): void {
    let capacity = this.hashes.length;
    if (this.count + extra <= capacity) return;
    while (capacity < this.count + extra) capacity *= 2;
    const { hashes, positions, details } = this;
    this.hashes = sharedUint32(capacity);
    this.positions = sharedUint32(capacity);
    this.details = new Uint8Array(new SharedArrayBuffer(capacity));
    this.hashes.set(hashes.subarray(0, this.count));
    this.positions.set(positions.subarray(0, this.count));
    this.details.set(details.subarray(0, this.count));
    this.links = new Int32Array(capacity);
    this.heads = new Int32Array(capacity);
    this.headShift = 32 - Math.log2(capacity);
    this.linked = 0;
  }
}

function sharedUint32(length: number): Uint32Array {
  return new Uint32Array(new SharedArrayBuffer(length * 4));
}
