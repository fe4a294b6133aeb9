import { ShapeError, type CatalogId, type TrackId } from '@earmark/kernel';
import { DotRows, type DotBackend } from './dot-rows.js';
import { type HeadFacts, type HeadFilter, isInBands, tempoBands } from './head-filter.js';
import type { TrackHeads } from './transition-store.js';

/** The best entry point of a track for a tail; `similarity` is the cosine of 8-bit vectors, good to about 0.01. */
export type HeadHit = HeadFacts & Readonly<{ ordinal: number; similarity: number }>;

type Entry = { readonly facts: Omit<HeadFacts, 'atMs'>; rows: number[] };

/**
 * Entry points of tracks in memory, searched exhaustively with 8-bit vectors: exact order up to rounding, any filter,
 * immediate changes; 1 byte a dimension and about 40 bytes a head. Filters are tested first, so that a search costs what it admits.
 */
export class HeadIndex {
  private readonly vectors: DotRows;
  private readonly entries = new Map<TrackId, Entry>();
  private readonly catalogNumbers = new Map<CatalogId, number>();
  /** Of each row: its track, ordinal, place, tempo or NaN, number of its catalog, what a unit of its integers is worth. */
  private readonly owners: Entry[] = [];
  private ordinals = new Uint8Array(1_024);
  private places = new Int32Array(1_024);
  private tempos = new Float64Array(1_024);
  private catalogs = new Int32Array(1_024);
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
      this.tempos[row] = tempoBpm ?? NaN;
      this.catalogs[row] = this.catalogNumber(catalogId);
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
   */
  search(tail: Float32Array, k: number, filter: HeadFilter = {}): HeadHit[] {
    const { values, scale } = quantize(tail.subarray(0, this.dimensions));
    const best = new BestTracks(k);
    const { chosen } = this.vectors;
    const count = this.choose(chosen, filter);
    const products = this.vectors.dots(values, count);
    const { owners, scales } = this;
    for (let i = 0; i < count; i++) {
      const row = chosen[i];
      const similarity = products[i] * scales[row];
      if (similarity < best.threshold) continue;
      const { trackId } = owners[row].facts;
      if (filter.without?.has(trackId) !== true) best.offer(trackId, row, similarity);
    }
    return best.sorted().map(({ row, similarity }) => ({
      ...this.owners[row].facts,
      atMs: this.places[row],
      ordinal: this.ordinals[row],
      similarity: Math.min(1, similarity * scale),
    }));
  }

  /** Writes the rows that a filter admits, but for `without`, which is tested where it may matter. @returns how many */
  private choose(
    rows: Int32Array,
    { only, catalogIds = [], tempoBpm, latestMs = Infinity }: HeadFilter,
  ): number {
    const { catalogs, places, tempos } = this;
    const bands = tempoBpm && tempoBands(tempoBpm);
    const numbers = catalogIds.map((id) => this.catalogNumbers.get(id) ?? -1);
    const admits = (row: number): boolean =>
      places[row] <= latestMs &&
      (bands === undefined || isInBands(tempos[row], bands)) &&
      (numbers.length === 0 || numbers.includes(catalogs[row]));
    let count = 0;
    if (only === undefined) {
      for (let row = 0; row < this.owners.length; row++) if (admits(row)) rows[count++] = row;
    } else {
      for (const id of new Set(only))
        for (const row of this.entries.get(id)?.rows ?? []) if (admits(row)) rows[count++] = row;
    }
    return count;
  }

  private catalogNumber(id: CatalogId): number {
    const number = this.catalogNumbers.get(id) ?? this.catalogNumbers.size;
    this.catalogNumbers.set(id, number);
    return number;
  }

  private removeRow(row: number): void {
    const last = this.owners.length - 1;
    const moved = this.owners[last];
    if (row !== last) {
      this.vectors.move(last, row);
      this.owners[row] = moved;
      this.ordinals[row] = this.ordinals[last];
      this.places[row] = this.places[last];
      this.tempos[row] = this.tempos[last];
      this.catalogs[row] = this.catalogs[last];
      this.scales[row] = this.scales[last];
      moved.rows[moved.rows.indexOf(last)] = row;
    }
    this.owners.pop();
  }

  private grow(): void {
    const room = 2 * this.places.length;
    const copy = <T extends Uint8Array | Int32Array | Float32Array | Float64Array>(grown: T, from: T): T => {
      grown.set(from);
      return grown;
    };
    this.ordinals = copy(new Uint8Array(room), this.ordinals);
    this.places = copy(new Int32Array(room), this.places);
    this.tempos = copy(new Float64Array(room), this.tempos);
    this.catalogs = copy(new Int32Array(room), this.catalogs);
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
