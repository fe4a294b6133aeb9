import { ShapeError, type CatalogId, type TrackId } from '@earmark/kernel';
import { DotRows, type DotBackend } from './dot-rows.js';
import type { TrackHeads } from './transition-store.js';

/** What a search may know of an entry point before its track is read. */
export type HeadFacts = Readonly<{
  trackId: TrackId;
  catalogId: CatalogId;
  /** Absent: no sure beat. */
  tempoBpm: number | undefined;
  atMs: number;
}>;

/** The best entry point of a track for a tail; `similarity` is the cosine of 8-bit vectors, good to about 0.01. */
export type HeadHit = HeadFacts & Readonly<{ ordinal: number; similarity: number }>;

type Entry = { readonly facts: Omit<HeadFacts, 'atMs'>; rows: number[] };

/**
 * Entry points of tracks in memory, searched exhaustively with 8-bit vectors: exact order up to rounding, any filter,
 * immediate changes; 1 byte a dimension and about 20 bytes a head.
 */
export class HeadIndex {
  private readonly vectors: DotRows;
  private readonly entries = new Map<TrackId, Entry>();
  /** Of each row: its track, ordinal, place, and what a unit of its integers is worth. */
  private readonly owners: Entry[] = [];
  private ordinals = new Uint8Array(1_024);
  private places = new Int32Array(1_024);
  private scales = new Float32Array(1_024);

  /** @param dimensions values of a search vector; of codes, the first so many count */
  constructor(
    readonly dimensions: number,
    backend?: DotBackend,
  ) {
    this.vectors = new DotRows(dimensions, backend);
  }

  /** Entry points. */
  get heads(): number {
    return this.owners.length;
  }

  /** Tracks with entry points. */
  get tracks(): number {
    return this.entries.size;
  }

  /**
   * Adds a track, in place of what was known of it.
   *
   * @throws {ShapeError} if a code is too short
   */
  set({ trackId, catalogId, tempoBpm, heads }: TrackHeads): void {
    this.remove(trackId);
    const entry: Entry = { facts: { trackId, catalogId, tempoBpm }, rows: [] };
    for (const { ordinal, atMs, code } of heads) {
      if (code.length < this.dimensions) {
        throw new ShapeError('code', `at least ${this.dimensions} values`, code.length);
      }
      const row = this.owners.push(entry) - 1;
      if (row >= this.places.length) this.grow();
      const { values, scale } = quantize(code.subarray(0, this.dimensions));
      this.vectors.set(row, values);
      this.ordinals[row] = ordinal;
      this.places[row] = atMs;
      this.scales[row] = scale;
      entry.rows.push(row);
    }
    this.entries.set(trackId, entry);
  }

  /** Removes a track; does nothing if it is unknown. */
  remove(trackId: TrackId): void {
    const entry = this.entries.get(trackId);
    if (entry === undefined) return;
    this.entries.delete(trackId);
    // Highest first, so that the last row is never one that goes as well.
    for (const row of entry.rows.sort((a, b) => b - a)) this.removeRow(row);
  }

  /**
   * Finds the tracks whose best entry point is most similar to a tail, best first; equal ones in the order of track ids.
   *
   * @param tail code of the tail
   * @param k most tracks
   * @param accepts which entry points count; default all
   * @param only ids to look at; default all tracks
   */
  search(
    tail: Float32Array,
    k: number,
    accepts: (head: HeadFacts) => boolean = () => true,
    only?: readonly TrackId[],
  ): HeadHit[] {
    const { values, scale } = quantize(tail.subarray(0, this.dimensions));
    const best = new BestTracks(k);
    if (only === undefined) {
      const products = this.vectors.dots(values, this.owners.length);
      for (let row = 0; row < products.length; row++) {
        const similarity = products[row] * this.scales[row];
        if (similarity < best.threshold) continue;
        const { facts } = this.owners[row];
        if (accepts({ ...facts, atMs: this.places[row] })) best.offer(facts.trackId, row, similarity);
      }
    } else {
      for (const trackId of only) {
        for (const row of this.entries.get(trackId)?.rows ?? []) {
          const { facts } = this.owners[row];
          if (!accepts({ ...facts, atMs: this.places[row] })) continue;
          best.offer(trackId, row, dot(values, this.vectors.row(row)) * this.scales[row]);
        }
      }
    }
    return best.sorted().map(({ row, similarity }) => ({
      ...this.owners[row].facts,
      atMs: this.places[row],
      ordinal: this.ordinals[row],
      similarity: Math.min(1, similarity * scale),
    }));
  }

  private removeRow(row: number): void {
    const last = this.owners.length - 1;
    const moved = this.owners[last];
    if (row !== last) {
      this.vectors.move(last, row);
      this.owners[row] = moved;
      this.ordinals[row] = this.ordinals[last];
      this.places[row] = this.places[last];
      this.scales[row] = this.scales[last];
      moved.rows[moved.rows.indexOf(last)] = row;
    }
    this.owners.pop();
  }

  private grow(): void {
    const room = 2 * this.places.length;
    const copy = <T extends Uint8Array | Int32Array | Float32Array>(grown: T, from: T): T => {
      grown.set(from);
      return grown;
    };
    this.ordinals = copy(new Uint8Array(room), this.ordinals);
    this.places = copy(new Int32Array(room), this.places);
    this.scales = copy(new Float32Array(room), this.scales);
  }
}

type Found = { row: number; similarity: number };

/** The `k` best tracks so far, each with its best row. */
class BestTracks {
  /** What a row must reach to matter. */
  threshold = -Infinity;
  private readonly found = new Map<TrackId, Found>();

  constructor(private readonly k: number) {}

  offer(trackId: TrackId, row: number, similarity: number): void {
    const known = this.found.get(trackId);
    if (known !== undefined) {
      if (similarity > known.similarity) this.found.set(trackId, { row, similarity });
      return;
    }
    this.found.set(trackId, { row, similarity });
    // Sorting now and then is cheaper than keeping order at each offer.
    if (this.found.size >= 2 * this.k + 64) this.cut();
  }

  sorted(): Found[] {
    this.cut();
    return [...this.found.values()];
  }

  private cut(): void {
    const order = [...this.found].sort(
      ([idA, a], [idB, b]) => b.similarity - a.similarity || (idA < idB ? -1 : 1),
    );
    this.found.clear();
    for (const [trackId, one] of order.slice(0, this.k)) this.found.set(trackId, one);
    if (order.length >= this.k) this.threshold = order[this.k - 1]?.[1].similarity ?? -Infinity;
  }
}

/** Integers in -127..127 and what one unit of them is worth. */
function quantize(vector: Float32Array): { values: Int8Array; scale: number } {
  let largest = 1e-9;
  for (let i = 0; i < vector.length; i++) largest = Math.max(largest, Math.abs(vector[i]));
  const values = new Int8Array(vector.length);
  for (let i = 0; i < vector.length; i++) values[i] = Math.round((vector[i] * 127) / largest);
  return { values, scale: largest / 127 };
}

function dot(a: Int8Array, b: Int8Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
