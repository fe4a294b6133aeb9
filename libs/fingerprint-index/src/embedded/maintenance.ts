import { sortByHash } from './hits.js';
import type { DeltaArrays } from './delta.js';
import type { DurableFiles } from './durable-files.js';
import { bitsOf, SegmentWriter } from './segment-writer.js';
import { newPagePostings } from './page-format.js';
import { SegmentCursor, SegmentReader } from './segment-reader.js';
import { PageCache } from './page-cache.js';
import { granuleBits, OrdinalSet, TrackTable, type IndexedTrack } from './track-table.js';

/** Writes the live tracks of a delta to a segment file. Plain data, so that it can go to a worker. */
export type FlushJob = Readonly<{
  kind: 'flush';
  path: string;
  configId: string;
  postings: DeltaArrays;
  tracks: readonly IndexedTrack[];
  /** Ordinals of dead tracks, as {@link OrdinalSet.toBytes} gives them. */
  dead: Uint8Array;
}>;

/** Writes the live tracks of several segment files to one. */
export type MergeJob = Readonly<{
  kind: 'merge';
  path: string;
  configId: string;
  inputs: readonly Readonly<{ path: string; dead: Uint8Array }>[];
}>;

/** What the caller may do with a finished job: `undefined` bytes mean that nothing was alive and no file was made. */
export type MaintenanceResult = Readonly<{ bytes?: number }>;

/** Runs flushes and merges, one at a time. */
export interface MaintenanceRunner {
  run(job: FlushJob | MergeJob): Promise<MaintenanceResult>;
  /** Stops at once; a job under way fails and leaves at most an unfinished file. */
  close(): Promise<void>;
}

/** Runs jobs where it is called, blocking it: for a worker thread, and for tests that break the file system. */
export function runMaintenance(job: FlushJob | MergeJob, files: DurableFiles): MaintenanceResult {
  return job.kind === 'flush' ? flush(job, files) : merge(job, files);
}

/** Runs jobs at once in the calling thread; for tools and tests that need no worker. */
export class InlineMaintenance implements MaintenanceRunner {
  constructor(private readonly files: DurableFiles) {}

  run(job: FlushJob | MergeJob): Promise<MaintenanceResult> {
    return Promise.resolve().then(() => runMaintenance(job, this.files));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** Where the granules of a table go in a new one: the distance to add, or -1 for granules of dead tracks. */
function moveTracks(from: readonly IndexedTrack[], dead: OrdinalSet, to: TrackTable): Float64Array {
  const last = from.at(-1);
  const moves = new Float64Array(last ? (last.base + last.span) / (1 << granuleBits) : 0).fill(-1);
  from.forEach((track, ordinal) => {
    if (dead.has(ordinal)) return;
    const base = to.positions;
    to.append(track);
    const granule = track.base / (1 << granuleBits);
    for (let i = 0; i < track.span / (1 << granuleBits); i++)
      moves[granule + i] = base + i * (1 << granuleBits);
  });
  return moves;
}

/** New position of a posting, or -1 when its track is dead. */
function move(moves: Float64Array, position: number): number {
  const base = moves[position >>> granuleBits];
  return base < 0 ? -1 : base + (position & ((1 << granuleBits) - 1));
}

function flush(job: FlushJob, files: DurableFiles): MaintenanceResult {
  const tracks = new TrackTable();
  const moves = moveTracks(job.tracks, new OrdinalSet(job.dead), tracks);
  if (tracks.tracks.length === 0) return {};
  const { hashes, positions, details, count } = job.postings;
  const order = sortByHash(hashes.subarray(0, count));
  sortRunsByPosition(order, hashes, positions);
  const writer = new SegmentWriter(job.path, job.configId, bitsOf(Math.max(0, tracks.positions - 1)), files);
  try {
    for (let i = 0; i < count; i++) {
      const at = order[i];
      const position = move(moves, positions[at]);
      if (position >= 0) writer.push(hashes[at], position, details[at]);
    }
    return { bytes: writer.finish(tracks) };
  } catch (error) {
    writer.abandon();
    throw error;
  }
}

/** Puts postings of one hash, which stand side by side, in order of position; most are so already. */
function sortRunsByPosition(order: Uint32Array, hashes: Uint32Array, positions: Uint32Array): void {
  for (let i = 1; i < order.length; i++) {
    const posting = order[i];
    const hash = hashes[posting];
    const position = positions[posting];
    let at = i;
    for (; at > 0 && hashes[order[at - 1]] === hash && positions[order[at - 1]] > position; at--)
      order[at] = order[at - 1];
    order[at] = posting;
  }
}

/** One input of a merge: a page of postings at a time, dead ones left out, positions moved. */
class MergeInput {
  private readonly postings = newPagePostings();
  private count = 0;
  private at = 0;
  /** Hash of the next posting, Infinity at the end. */
  hash = Infinity;

  constructor(
    private readonly cursor: SegmentCursor,
    private readonly moves: Float64Array,
  ) {
    this.fill();
  }

  /** Hands over all postings of the next hash. */
  drain(writer: SegmentWriter): void {
    const { hash } = this;
    const { hashes, positions, details } = this.postings;
    while (this.hash === hash) {
      let { at } = this;
      while (at < this.count && hashes[at] === hash) {
        writer.push(hash, positions[at], details[at]);
        at++;
      }
      this.at = at;
      if (at < this.count) this.hash = hashes[at];
      else this.fill();
    }
  }

  close(): void {
    this.cursor.close();
  }

  /** Reads the next page that holds anything alive. */
  private fill(): void {
    const { moves, cursor, postings } = this;
    const { hashes, positions, details } = postings;
    this.at = 0;
    this.count = 0;
    this.hash = Infinity;
    for (let read = cursor.nextPage(postings); read > 0; read = cursor.nextPage(postings)) {
      let kept = 0;
      for (let i = 0; i < read; i++) {
        const base = moves[positions[i] >>> granuleBits];
        if (base < 0) continue;
        hashes[kept] = hashes[i];
        positions[kept] = base + (positions[i] & ((1 << granuleBits) - 1));
        details[kept++] = details[i];
      }
      if (kept === 0) continue;
      this.count = kept;
      this.hash = hashes[0];
      return;
    }
  }
}

function merge(job: MergeJob, files: DurableFiles): MaintenanceResult {
  const cache = new PageCache(0);
  const readers: SegmentReader[] = [];
  const inputs: MergeInput[] = [];
  let writer: SegmentWriter | undefined;
  try {
    const tracks = new TrackTable();
    const allMoves: Float64Array[] = [];
    for (const { path, dead } of job.inputs) {
      const reader = SegmentReader.open(path, job.configId, cache);
      readers.push(reader);
      allMoves.push(moveTracks(reader.tracks.tracks, new OrdinalSet(dead), tracks));
    }
    if (tracks.tracks.length === 0) return {};
    readers.forEach((reader, i) => {
      inputs.push(new MergeInput(new SegmentCursor(reader.path, reader.footer.pages), allMoves[i]));
    });
    writer = new SegmentWriter(job.path, job.configId, bitsOf(Math.max(0, tracks.positions - 1)), files);
    for (;;) {
      let hash = Infinity;
      for (const input of inputs) if (input.hash < hash) hash = input.hash;
      if (hash === Infinity) break;
      // Tracks of an earlier input have smaller positions, so inputs in order give positions in order.
      for (const input of inputs) if (input.hash === hash) input.drain(writer);
    }
    const done = { bytes: writer.finish(tracks) };
    writer = undefined;
    return done;
  } finally {
    writer?.abandon();
    for (const input of inputs) input.close();
    for (const reader of readers) reader.release();
  }
}
