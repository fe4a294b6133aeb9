/** Postings of pairs that may vote, parallel columns of which the first `length` entries count. */
export class PairHits {
  /** Position in the query's arrays. */
  entries = new Uint32Array(1024);
  /** Position on the axis at which the query's middle lies if the posting is a true one. */
  places = new Uint32Array(1024);
  length = 0;

  /** Makes room for `extra` more. */
  reserve(extra: number): void {
    if (this.length + extra <= this.entries.length) return;
    const size = sizeFor(this.length + extra);
    this.entries = grown(this.entries, new Uint32Array(size));
    this.places = grown(this.places, new Uint32Array(size));
  }
}

/** Postings of triples that may vote, parallel columns of which the first `length` entries count. */
export class TripleHits {
  entries = new Uint32Array(1024);
  positions = new Uint32Array(1024);
  details = new Uint8Array(1024);
  /** As of {@link PairHits}, rounded. */
  places = new Uint32Array(1024);
  /** Mixed names of the cell that the posting votes for in either grid. */
  cells: readonly [Uint32Array, Uint32Array] = [new Uint32Array(1024), new Uint32Array(1024)];
  length = 0;

  /** Makes room for `extra` more. */
  reserve(extra: number): void {
    if (this.length + extra <= this.entries.length) return;
    const size = sizeFor(this.length + extra);
    this.entries = grown(this.entries, new Uint32Array(size));
    this.positions = grown(this.positions, new Uint32Array(size));
    this.details = grown(this.details, new Uint8Array(size));
    this.places = grown(this.places, new Uint32Array(size));
    this.cells = [grown(this.cells[0], new Uint32Array(size)), grown(this.cells[1], new Uint32Array(size))];
  }
}

function sizeFor(count: number): number {
  return 2 ** Math.ceil(Math.log2(count));
}

function grown<T extends Uint8Array | Uint32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
