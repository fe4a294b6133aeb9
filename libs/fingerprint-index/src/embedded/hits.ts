/**
 * Postings that a lookup found, parallel arrays of which the first `count` entries count: flat and reused, so that a
 * query allocates nothing per posting.
 */
export class HitBatch {
  /** Which probe found the posting: the value given for the probe in {@link ProbeList.entries}. */
  entries: Uint32Array;
  /** Where the landmark lies, in positions local to the file. */
  positions: Uint32Array;
  details: Uint8Array;
  count = 0;

  constructor(capacity = 1 << 14) {
    this.entries = new Uint32Array(capacity);
    this.positions = new Uint32Array(capacity);
    this.details = new Uint8Array(capacity);
  }

  /** Makes room for `extra` more postings. */
  reserve(extra: number): void {
    const needed = this.count + extra;
    if (needed <= this.entries.length) return;
    const capacity = Math.max(needed, this.entries.length * 2);
    const { entries, positions, details } = this;
    this.entries = new Uint32Array(capacity);
    this.positions = new Uint32Array(capacity);
    this.details = new Uint8Array(capacity);
    this.entries.set(entries);
    this.positions.set(positions);
    this.details.set(details);
  }

  push(entry: number, position: number, detail: number): void {
    if (this.count === this.entries.length) this.reserve(1);
    this.entries[this.count] = entry;
    this.positions[this.count] = position;
    this.details[this.count++] = detail;
  }

  /** Repeats the hits from `from` up to `to` for another entry: two probes with one hash read its postings once. */
  repeat(from: number, to: number, entry: number): void {
    this.reserve(to - from);
    this.positions.copyWithin(this.count, from, to);
    this.details.copyWithin(this.count, from, to);
    this.entries.fill(entry, this.count, this.count + to - from);
    this.count += to - from;
  }
}

/** Hashes to look up, ascending, and for each the entry that its hits carry. Equal hashes stand beside each other. */
export type ProbeList = Readonly<{ hashes: Uint32Array; entries: Uint32Array; count: number }>;

/**
 * Sorts probes by hash; radix sort, stable, 3 passes.
 *
 * @param hashes one per entry, any order
 * @param only entries to take (absent: all)
 */
export function sortProbes(hashes: Uint32Array, only?: Uint32Array): ProbeList {
  const entries = sortByHash(hashes, only);
  const sorted = new Uint32Array(entries.length);
  for (let i = 0; i < sorted.length; i++) sorted[i] = hashes[entries[i]];
  return { hashes: sorted, entries, count: sorted.length };
}

/** Indices into `hashes` (all of them, or those in `only`) in ascending order of hash; equal hashes keep their order. */
export function sortByHash(hashes: Uint32Array, only?: Uint32Array): Uint32Array {
  const count = only?.length ?? hashes.length;
  let from = new Uint32Array(count);
  if (only) from.set(only);
  else for (let i = 0; i < count; i++) from[i] = i;
  let to = new Uint32Array(count);
  const starts = new Uint32Array(2048);
  for (let shift = 0; shift < 33; shift += 11) {
    starts.fill(0);
    for (let i = 0; i < count; i++) starts[(hashes[from[i]] >>> shift) & 2047]++;
    let sum = 0;
    for (let i = 0; i < 2048; i++) {
      const size = starts[i];
      starts[i] = sum;
      sum += size;
    }
    for (let i = 0; i < count; i++) {
      const index = from[i];
      to[starts[(hashes[index] >>> shift) & 2047]++] = index;
    }
    [from, to] = [to, from];
  }
  return from;
}
