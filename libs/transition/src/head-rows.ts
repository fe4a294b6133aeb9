import { isInBands } from './head-filter.js';
import { ROWS_BASE64 } from './rows.generated.js';
import { TempoPages } from './tempo-pages.js';

type Kernel = Readonly<{
  nearest(
    query: number,
    fronts: number,
    front: number,
    backs: number,
    back: number,
    backMost: number,
    scales: number,
    places: number,
    latest: number,
    tempos: number,
    bands: number,
    bandCount: number,
    ranges: number,
    rangeCount: number,
    most: number,
    rows: number,
    values: number,
  ): number;
}>;

declare const WebAssembly: {
  validate(bytes: Uint8Array): boolean;
  Module: new (bytes: Uint8Array) => object;
  Memory: new (options: { initial: number }) => { buffer: ArrayBuffer };
  Instance: new (module: object, imports: { env: { memory: object } }) => { exports: Kernel };
};

/** Where rows are compared: in SIMD WebAssembly, or in TypeScript with the same results. */
export type RowBackend = 'wasm' | 'js';

/** What a row holds. */
export type HeadRow = Readonly<{
  /** At most as many integers in -127..127 as there are dimensions. */
  values: Int8Array;
  /** What a unit of them is worth. */
  scale: number;
  atMs: number;
  /** NaN: no sure beat. */
  tempoBpm: number;
}>;

/** Which rows count. */
export type RowConditions = Readonly<{
  latestMs: number;
  /** Pairs of lowest and highest tempo, at most three; absent: any tempo and none. */
  bands?: Float64Array;
  /** Numbers of the rows that are looked at; absent: all. */
  listed?: Int32Array;
}>;

/** Rows found, in no order, and their similarities: views that are valid until the next call. */
export type FoundRows = Readonly<{ rows: Int32Array; similarities: Float32Array }>;

type Columns = Readonly<{
  /** Absent: TypeScript. */
  kernel?: Kernel;
  query: Int16Array;
  bands: Float64Array;
  fronts: Int8Array;
  backs: Int8Array;
  scales: Float32Array;
  places: Int32Array;
  tempos: Float64Array;
  ranges: Int32Array;
  foundRows: Int32Array;
  foundValues: Float32Array;
}>;

const pageBytes = 65_536;
const mostBandValues = 6;
const latestPlace = 0x7fff_ffff;
/** Share of a vector that lies apart from the rest: what follows can hardly lift a row that is far behind by then. */
const frontShare = 0.8;
/** Addresses that a processor reads at once. */
const lineBytes = 64;
/** More than rounding can make of a bound. */
const slack = 1 + 1e-5;
const compiled = compile();

function compile(): object | undefined {
  if (typeof WebAssembly === 'undefined') return undefined;
  const bytes = Uint8Array.from(atob(ROWS_BASE64), (character) => character.charCodeAt(0));
  return WebAssembly.validate(bytes) ? new WebAssembly.Module(bytes) : undefined;
}

/** Entry points as rows of 8-bit integers with what filters test, searched exhaustively. */
export class HeadRows {
  readonly backend: RowBackend;
  /** Bytes of a vector, the dimensions rounded up to 16: those that are compared first, and the others. */
  private readonly front: number;
  private readonly back: number;
  /** Length of the longest back of all rows that ever were. */
  private longestBack = 0;
  private readonly pages = new TempoPages();
  private columns: Columns;
  private room = 0;

  /** @param backend default: WebAssembly where the host has SIMD */
  constructor(dimensions: number, backend: RowBackend = 'wasm') {
    const stride = Math.ceil(dimensions / 16) * 16;
    this.front = Math.floor((frontShare * stride) / 16) * 16;
    this.back = stride - this.front;
    this.backend = compiled === undefined ? 'js' : backend;
    this.columns = this.allocate(0);
  }

  /** Where a row begins in its track, ms. */
  placeOf(row: number): number {
    return this.columns.places[row];
  }

  /** Adds a row. @returns its number */
  push({ values, scale, atMs, tempoBpm }: HeadRow): number {
    const row = this.pages.add(tempoBpm);
    if (row >= this.room) this.grow();
    const { front, back } = this;
    const { fronts, backs, scales, places, tempos } = this.columns;
    fronts.fill(0, row * front, (row + 1) * front).set(values.subarray(0, front), row * front);
    backs.fill(0, row * back, (row + 1) * back).set(values.subarray(front), row * back);
    this.longestBack = Math.max(this.longestBack, scale * lengthOf(values.subarray(front)));
    scales[row] = scale;
    places[row] = atMs;
    tempos[row] = tempoBpm;
    return row;
  }

  /**
   * Removes a row by putting another one in its place.
   *
   * @returns the number that the other one had; that of the row itself if there was no need
   */
  remove(row: number): number {
    const { front, back } = this;
    const { fronts, backs, scales, places, tempos } = this.columns;
    const last = this.pages.remove(tempos[row]);
    fronts.copyWithin(row * front, last * front, (last + 1) * front);
    backs.copyWithin(row * back, last * back, (last + 1) * back);
    for (const column of [scales, places, tempos]) column[row] = column[last];
    return last;
  }

  /**
   * Finds the rows most similar to a query; of equal ones at the end of the list, those with the lower number.
   *
   * @param most how many, at least 1
   */
  nearest(query: Int8Array, most: number, { latestMs, bands, listed }: RowConditions): FoundRows {
    const { columns, front, back } = this;
    const ranges = listed === undefined ? this.pages.ranges(bands) : rangesOf(listed);
    if (columns.kernel === undefined)
      return this.nearestInScript(query, most, ranges, { latestMs, ...(bands && { bands }) });
    columns.query.fill(0);
    columns.query.set(query);
    if (bands !== undefined) columns.bands.set(bands);
    columns.ranges.set(ranges);
    const found = columns.kernel.nearest(
      columns.query.byteOffset,
      columns.fronts.byteOffset,
      front,
      columns.backs.byteOffset,
      back,
      slack * this.longestBack * lengthOf(query.subarray(front)),
      columns.scales.byteOffset,
      columns.places.byteOffset,
      Math.min(latestMs, latestPlace),
      columns.tempos.byteOffset,
      columns.bands.byteOffset,
      (bands?.length ?? 0) / 2,
      columns.ranges.byteOffset,
      ranges.length / 2,
      Math.min(most, this.room),
      columns.foundRows.byteOffset,
      columns.foundValues.byteOffset,
    );
    return {
      rows: columns.foundRows.subarray(0, found),
      similarities: columns.foundValues.subarray(0, found),
    };
  }

  private nearestInScript(
    query: Int8Array,
    most: number,
    ranges: Int32Array,
    { latestMs, bands }: Omit<RowConditions, 'listed'>,
  ): FoundRows {
    const { front, back } = this;
    const { fronts, backs, scales, places, tempos } = this.columns;
    const found: { row: number; similarity: number }[] = [];
    for (let i = 0; i < ranges.length; i += 2) {
      for (let row = ranges[i]; row < ranges[i] + ranges[i + 1]; row++) {
        if (places[row] > latestMs || (bands !== undefined && !isInBands(tempos[row], bands))) continue;
        let sum = 0;
        for (let d = 0; d < query.length; d++)
          sum += query[d] * (d < front ? fronts[row * front + d] : backs[row * back + d - front]);
        found.push({ row, similarity: Math.fround(sum * scales[row]) });
      }
    }
    found.sort((a, b) => b.similarity - a.similarity);
    const best = found.slice(0, most);
    return {
      rows: Int32Array.from(best, ({ row }) => row),
      similarities: Float32Array.from(best, ({ similarity }) => similarity),
    };
  }

  private grow(): void {
    const before = this.columns;
    this.room = Math.max(1_024, 2 * this.room);
    this.columns = this.allocate(this.room);
    const { fronts, backs, scales, places, tempos } = this.columns;
    fronts.set(before.fronts);
    backs.set(before.backs);
    scales.set(before.scales);
    places.set(before.places);
    tempos.set(before.tempos);
  }

  private allocate(room: number): Columns {
    const { front, back } = this;
    // A fresh module leaves the first kilobyte to its runtime.
    let at = 1_024;
    const take = (bytes: number): number => {
      const start = Math.ceil(at / lineBytes) * lineBytes;
      at = start + bytes;
      return start;
    };
    const [tempos, bands] = [take(8 * room), take(8 * mostBandValues)];
    const [query, fronts, backs] = [take(2 * (front + back)), take(room * front), take(room * back)];
    const [scales, places, ranges] = [take(4 * room), take(4 * room), take(8 * room)];
    const [foundRows, foundValues] = [take(4 * room), take(4 * room)];
    const memory =
      this.backend === 'wasm' ? new WebAssembly.Memory({ initial: Math.ceil(at / pageBytes) }) : undefined;
    const buffer = memory?.buffer ?? new ArrayBuffer(at);
    return {
      ...(memory !== undefined &&
        compiled !== undefined && {
          kernel: new WebAssembly.Instance(compiled, { env: { memory } }).exports,
        }),
      tempos: new Float64Array(buffer, tempos, room),
      bands: new Float64Array(buffer, bands, mostBandValues),
      query: new Int16Array(buffer, query, front + back),
      fronts: new Int8Array(buffer, fronts, room * front),
      backs: new Int8Array(buffer, backs, room * back),
      scales: new Float32Array(buffer, scales, room),
      places: new Int32Array(buffer, places, room),
      ranges: new Int32Array(buffer, ranges, 2 * room),
      foundRows: new Int32Array(buffer, foundRows, room),
      foundValues: new Float32Array(buffer, foundValues, room),
    };
  }
}

/** Each row by itself. */
function rangesOf(rows: Int32Array): Int32Array {
  const ranges = new Int32Array(2 * rows.length).fill(1);
  for (let i = 0; i < rows.length; i++) ranges[2 * i] = rows[i];
  return ranges;
}

function lengthOf(values: Int8Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] * values[i];
  return Math.sqrt(sum);
}
