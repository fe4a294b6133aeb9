/** Rows of a page: enough to be read in one go, few enough that half-filled pages do not matter. */
const pageRows = 64;
/** Parts of an octave that have pages of their own. */
const parts = 24;
/** Far more than rounding can move a logarithm. */
const margin = 1e-9;

/**
 * Numbers of rows such that those of one tempo lie together, octaves apart or not: what a band of tempo admits is then read
 * in long stretches, which takes a processor half as long as the same rows strewn over memory.
 */
export class TempoPages {
  /** Of each part of an octave, then of rows without a tempo: its pages, and how many rows are in them. */
  readonly #pages: readonly number[][] = Array.from({ length: parts + 1 }, () => []);
  readonly #sizes = new Int32Array(parts + 1);
  readonly #free: number[] = [];
  /** Pages that were ever begun. */
  #begun = 0;

  /** A number for another row. @param tempoBpm NaN: none */
  add(tempoBpm: number): number {
    const part = partOf(tempoBpm);
    const place = this.#sizes[part]++;
    if (place % pageRows === 0) this.#pages[part].push(this.#free.pop() ?? this.#begun++);
    return this.#rowAt(part, place);
  }

  /**
   * Takes a number back.
   *
   * @param tempoBpm that of any row that lies beside it
   * @returns the row that has to move to this number, for its own is gone; the same one if there is none
   */
  remove(tempoBpm: number): number {
    const part = partOf(tempoBpm);
    const place = --this.#sizes[part];
    const last = this.#rowAt(part, place);
    if (place % pageRows === 0) this.#free.push(...this.#pages[part].splice(-1));
    return last;
  }

  /**
   * Stretches of rows, as pairs of the first one and their count, among which are all of some bands.
   *
   * @param bands pairs of lowest and highest tempo; absent: all rows
   */
  ranges(bands?: Float64Array): Int32Array {
    const wanted = new Set<number>();
    if (bands === undefined) for (let part = 0; part <= parts; part++) wanted.add(part);
    for (let i = 0; i < (bands?.length ?? 0); i += 2) {
      const [low, high] = [placeOf(bands?.[i] ?? 0) - margin, placeOf(bands?.[i + 1] ?? 0) + margin];
      const first = Math.floor(Math.max(low, high - parts));
      for (let place = first; place <= high; place++) wanted.add(modulo(place));
    }
    const pairs: number[] = [];
    for (const part of wanted) {
      for (const [n, page] of this.#pages[part].entries())
        pairs.push(page * pageRows, Math.min(pageRows, this.#sizes[part] - n * pageRows));
    }
    return Int32Array.from(pairs);
  }

  #rowAt(part: number, place: number): number {
    return this.#pages[part][Math.floor(place / pageRows)] * pageRows + (place % pageRows);
  }
}

/** Place of a tempo on a scale on which octaves are `parts` apart, finite also for a limit that is none. */
function placeOf(tempoBpm: number): number {
  return parts * Math.log2(Math.max(Number.MIN_VALUE, Math.min(Number.MAX_VALUE, tempoBpm)));
}

function partOf(tempoBpm: number): number {
  return tempoBpm > 0 ? modulo(Math.floor(placeOf(tempoBpm))) : parts;
}

function modulo(place: number): number {
  return ((place % parts) + parts) % parts;
}
