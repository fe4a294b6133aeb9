import { ShapeError, type TrackId } from '@earmark/kernel';
import { type HeadFacts, type HeadFilter, tempoBands } from './head-filter.js';
import { HeadRows, type RowBackend, type RowConditions } from './head-rows.js';
import type { TrackHeads } from './transition-store.js';

/** The best entry point of a track for a tail; `similarity` is the cosine of 8-bit vectors, good to about 0.01. */
export type HeadHit = HeadFacts & Readonly<{ ordinal: number; similarity: number }>;

type Entry = { readonly facts: Omit<HeadFacts, 'atMs'>; rows: number[] };

/** Rows asked for at once for each track wanted: of the nearest rows several may belong to one track. */
const rowsOfTrack = 4;

/**
 * Entry points of tracks in memory, searched exhaustively with 8-bit vectors: exact order up to rounding, any filter,
 * immediate changes; 1 byte a dimension and about 40 bytes a head. Filters are tested first, so that a search costs what it
 * admits.
 */
export class HeadIndex {
  private readonly rows: HeadRows;
  private readonly entries = new Map<TrackId, Entry>();
  /** Of each row: its track, and its number in it. Numbers that no row has are left as they were. */
  private readonly owners: Entry[] = [];
  private readonly ordinals: number[] = [];

  /** @param dimensions values of a search vector; of codes, the first so many count */
  constructor(
    readonly dimensions: number,
    backend?: RowBackend,
  ) {
    this.rows = new HeadRows(dimensions, backend);
  }

  /** Entry points. */
  get heads(): number {
    let heads = 0;
    for (const { rows } of this.entries.values()) heads += rows.length;
    return heads;
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
    for (const { code } of heads) {
      if (code.length < this.dimensions)
        throw new ShapeError('code', `at least ${this.dimensions} values`, code.length);
    }
    this.remove(trackId);
    const entry: Entry = { facts: { trackId, catalogId, tempoBpm }, rows: [] };
    for (const { ordinal, atMs, code } of heads) {
      const quantized = quantize(code.subarray(0, this.dimensions));
      const row = this.rows.push({ ...quantized, atMs, tempoBpm: tempoBpm ?? NaN });
      entry.rows.push(row);
      this.owners[row] = entry;
      this.ordinals[row] = ordinal;
    }
    this.entries.set(trackId, entry);
  }

  /** Removes a track; does nothing if it is unknown. */
  remove(trackId: TrackId): void {
    const entry = this.entries.get(trackId);
    if (entry === undefined) return;
    this.entries.delete(trackId);
    for (let row = entry.rows.pop(); row !== undefined; row = entry.rows.pop()) this.removeRow(row);
  }

  /**
   * Finds the tracks whose best entry point is most similar to a tail, best first; equal ones in the order of track ids.
   *
   * @param tail code of the tail
   * @param k most tracks
   */
  search(tail: Float32Array, k: number, filter: HeadFilter = {}): HeadHit[] {
    const { values, scale } = quantize(tail.subarray(0, this.dimensions));
    const { tempoBpm, latestMs = Infinity, without } = filter;
    const listed = this.listed(filter);
    const conditions: RowConditions = {
      latestMs,
      ...(tempoBpm !== undefined && { bands: tempoBands(tempoBpm) }),
      ...(listed !== undefined && { listed }),
    };
    for (let most = rowsOfTrack * (k + (without?.size ?? 0)); ; most *= rowsOfTrack) {
      const { rows, similarities } = this.rows.nearest(values, most, conditions);
      const seen = new Set(without);
      const best: number[] = [];
      for (const i of this.inOrder(rows, similarities)) {
        const { trackId } = this.owners[rows[i]].facts;
        if (seen.has(trackId)) continue;
        seen.add(trackId);
        best.push(i);
        if (best.length === k) break;
      }
      // With fewer rows than asked for, all that the filter admits were seen.
      if (best.length < k && rows.length >= most) continue;
      return best.map((i) => ({
        ...this.owners[rows[i]].facts,
        atMs: this.rows.placeOf(rows[i]),
        ordinal: this.ordinals[rows[i]],
        similarity: Math.min(1, similarities[i] * scale),
      }));
    }
  }

  /** Places of the rows that were found, most similar first, equal ones in the order of track ids. */
  private inOrder(rows: Int32Array, similarities: Float32Array): Uint32Array {
    const idOf = (i: number): TrackId => this.owners[rows[i]].facts.trackId;
    return Uint32Array.from(rows.keys()).sort(
      (a, b) => similarities[b] - similarities[a] || (idOf(a) < idOf(b) ? -1 : Number(idOf(a) > idOf(b))),
    );
  }

  /** Rows of the tracks and catalogs that a filter names; absent: it names none. */
  private listed({ only, catalogIds = [] }: HeadFilter): Int32Array | undefined {
    if (only === undefined && catalogIds.length === 0) return undefined;
    const catalogs = new Set(catalogIds);
    const entries =
      only === undefined ? this.entries.values() : [...new Set(only)].map((id) => this.entries.get(id));
    const rows: number[] = [];
    for (const entry of entries) {
      if (entry === undefined || (catalogs.size > 0 && !catalogs.has(entry.facts.catalogId))) continue;
      rows.push(...entry.rows);
    }
    return Int32Array.from(rows);
  }

  private removeRow(row: number): void {
    const other = this.rows.remove(row);
    if (other === row) return;
    const moved = this.owners[other];
    this.owners[row] = moved;
    this.ordinals[row] = this.ordinals[other];
    moved.rows[moved.rows.indexOf(other)] = row;
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
