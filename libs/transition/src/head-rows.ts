import { isInBands } from './head-filter.js';
import { ROWS_BASE64 } from './rows.generated.js';

type Kernel = Readonly<{
  nearest(
    query: number,
    vectors: number,
    stride: number,
    scales: number,
    places: number,
    latest: number,
    tempos: number,
    bands: number,
    bandCount: number,
    listed: number,
    count: number,
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
  vectors: Int8Array;
  scales: Float32Array;
  places: Int32Array;
  tempos: Float64Array;
  listed: Int32Array;
  foundRows: Int32Array;
  foundValues: Float32Array;
}>;

const pageBytes = 65_536;
const mostBandValues = 6;
const latestPlace = 0x7fff_ffff;
const compiled = compile();

function compile(): object | undefined {
  if (typeof WebAssembly === 'undefined') return undefined;
  const bytes = Uint8Array.from(atob(ROWS_BASE64), (character) => character.charCodeAt(0));
  return WebAssembly.validate(bytes) ? new WebAssembly.Module(bytes) : undefined;
}

/** Entry points as rows of 8-bit integers with what filters test, searched exhaustively. */
export class HeadRows {
  readonly backend: RowBackend;
  /** Bytes of a vector: the dimensions rounded up to 16. */
  private readonly stride: number;
  private columns: Columns;
  private room = 0;
  private count = 0;

  /** @param backend default: WebAssembly where the host has SIMD */
  constructor(dimensions: number, backend: RowBackend = 'wasm') {
    this.stride = Math.ceil(dimensions / 16) * 16;
    this.backend = compiled === undefined ? 'js' : backend;
    this.columns = this.allocate(0);
  }

  get length(): number {
    return this.count;
  }

  /** Where a row begins in its track, ms. */
  placeOf(row: number): number {
    return this.columns.places[row];
  }

  /** Appends a row. @returns its number */
  push({ values, scale, atMs, tempoBpm }: HeadRow): number {
    const row = this.count++;
    if (row >= this.room) this.grow();
    const { vectors, scales, places, tempos } = this.columns;
    vectors.fill(0, row * this.stride, (row + 1) * this.stride);
    vectors.set(values, row * this.stride);
    scales[row] = scale;
    places[row] = atMs;
    tempos[row] = tempoBpm;
    return row;
  }

  /** Removes a row by putting the last one in its place. */
  remove(row: number): void {
    const last = --this.count;
    const { vectors, scales, places, tempos } = this.columns;
    vectors.copyWithin(row * this.stride, last * this.stride, (last + 1) * this.stride);
    for (const column of [scales, places, tempos]) column[row] = column[last];
  }

  /**
   * Finds the rows most similar to a query; of equal ones at the end of the list, those with the lower number.
   *
   * @param most how many, at least 1
   */
  nearest(query: Int8Array, most: number, { latestMs, bands, listed }: RowConditions): FoundRows {
    const { columns, count, stride } = this;
    if (columns.kernel === undefined) return this.nearestInScript(query, most, { latestMs, bands, listed });
    columns.query.fill(0);
    columns.query.set(query);
    if (bands !== undefined) columns.bands.set(bands);
    if (listed !== undefined) columns.listed.set(listed);
    const found = columns.kernel.nearest(
      columns.query.byteOffset,
      columns.vectors.byteOffset,
      stride,
      columns.scales.byteOffset,
      columns.places.byteOffset,
      Math.min(latestMs, latestPlace),
      columns.tempos.byteOffset,
      columns.bands.byteOffset,
      (bands?.length ?? 0) / 2,
      listed === undefined ? 0 : columns.listed.byteOffset,
      listed?.length ?? count,
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
    {
      latestMs,
      bands,
      listed,
    }: { [K in keyof RowConditions]: RowConditions[K] | undefined } & { latestMs: number },
  ): FoundRows {
    const { columns, stride } = this;
    const { vectors, scales, places, tempos } = columns;
    const found: { row: number; similarity: number }[] = [];
    for (let i = 0; i < (listed?.length ?? this.count); i++) {
      const row = listed?.[i] ?? i;
      if (places[row] > latestMs || (bands !== undefined && !isInBands(tempos[row], bands))) continue;
      let sum = 0;
      for (let d = 0; d < query.length; d++) sum += query[d] * vectors[row * stride + d];
      found.push({ row, similarity: Math.fround(sum * scales[row]) });
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
    const { vectors, scales, places, tempos } = this.columns;
    vectors.set(before.vectors);
    scales.set(before.scales);
    places.set(before.places);
    tempos.set(before.tempos);
  }

  private allocate(room: number): Columns {
    // A fresh module leaves the first kilobyte to its runtime; float64 columns come first, for their alignment.
    let at = 1_024;
    const take = (bytes: number): number => (at += bytes) - bytes;
    const [tempos, bands] = [take(8 * room), take(8 * mostBandValues)];
    const [query, vectors] = [take(2 * this.stride), take(room * this.stride)];
    const [scales, places, listed] = [take(4 * room), take(4 * room), take(4 * room)];
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
      query: new Int16Array(buffer, query, this.stride),
      vectors: new Int8Array(buffer, vectors, room * this.stride),
      scales: new Float32Array(buffer, scales, room),
      places: new Int32Array(buffer, places, room),
      listed: new Int32Array(buffer, listed, room),
      foundRows: new Int32Array(buffer, foundRows, room),
      foundValues: new Float32Array(buffer, foundValues, room),
    };
  }
}
