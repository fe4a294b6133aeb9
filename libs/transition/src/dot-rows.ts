import { DOTS_BASE64 } from './dots.generated.js';

type DotExports = Readonly<{
  dots(query: number, rows: number, chosen: number, count: number, stride: number, out: number): void;
}>;

declare const WebAssembly: {
  validate(bytes: Uint8Array): boolean;
  Module: new (bytes: Uint8Array) => object;
  Memory: new (options: { initial: number }) => { buffer: ArrayBuffer; grow(pages: number): number };
  Instance: new (module: object, imports: { env: { memory: object } }) => { exports: DotExports };
};

const pageBytes = 65_536;
const queryAt = 1024;
const compiled = compile();

function compile(): object | undefined {
  if (typeof WebAssembly === 'undefined') return undefined;
  const bytes = Uint8Array.from(atob(DOTS_BASE64), (character) => character.charCodeAt(0));
  return WebAssembly.validate(bytes) ? new WebAssembly.Module(bytes) : undefined;
}

/** Where dot products are computed: in SIMD WebAssembly, or in TypeScript with the same results. */
export type DotBackend = 'wasm' | 'js';

/** Rows of 8-bit integers of one length, and their exact dot products with a query. */
export class DotRows {
  /** Bytes a row: the dimensions rounded up to 16. */
  readonly stride: number;
  readonly backend: DotBackend;
  private readonly memory: { buffer: ArrayBuffer; grow(pages: number): number } | undefined;
  private readonly kernel: DotExports | undefined;
  private rowsAt: number;
  private bytes: Int8Array;
  private products: Int32Array;
  private numbers: Int32Array;
  private room = 0;

  /** @param backend default: WebAssembly where the host has SIMD */
  constructor(dimensions: number, backend: DotBackend = compiled === undefined ? 'js' : 'wasm') {
    this.stride = Math.ceil(dimensions / 16) * 16;
    this.rowsAt = queryAt + 2 * this.stride;
    this.backend = compiled === undefined ? 'js' : backend;
    this.bytes = new Int8Array(0);
    this.products = new Int32Array(0);
    this.numbers = new Int32Array(0);
    if (this.backend === 'wasm' && compiled !== undefined) {
      this.memory = new WebAssembly.Memory({ initial: 1 });
      this.kernel = new WebAssembly.Instance(compiled, { env: { memory: this.memory } }).exports;
    }
  }

  /** Writes a row; the ones before it must exist. @param values at most `stride` integers in -127..127 */
  set(row: number, values: Int8Array): void {
    if (row >= this.room) this.grow(row + 1);
    this.bytes.fill(0, row * this.stride, (row + 1) * this.stride);
    this.bytes.set(values, row * this.stride);
  }

  /** Copies a row over another one. */
  move(from: number, to: number): void {
    this.bytes.copyWithin(to * this.stride, from * this.stride, (from + 1) * this.stride);
  }

  /** Values of a row; a view until the next {@link set}. */
  row(row: number): Int8Array {
    return this.bytes.subarray(row * this.stride, (row + 1) * this.stride);
  }

  /** Room for the numbers of the rows that {@link dots} looks at: as many as there are rows. A view until the next {@link set}. */
  get chosen(): Int32Array {
    return this.numbers;
  }

  /**
   * Dot products of `query` with the first `count` rows of {@link chosen}.
   *
   * @returns a view that is valid until the next call
   */
  dots(query: Int8Array, count: number): Int32Array {
    if (this.kernel === undefined || this.memory === undefined) return this.dotsInScript(query, count);
    const own = new Int16Array(this.memory.buffer, queryAt, this.stride);
    own.fill(0);
    own.set(query);
    const { byteOffset: out } = this.products;
    this.kernel.dots(queryAt, this.rowsAt, this.numbers.byteOffset, count, this.stride, out);
    return this.products.subarray(0, count);
  }

  private dotsInScript(query: Int8Array, count: number): Int32Array {
    const { bytes, numbers, products, stride } = this;
    for (let n = 0; n < count; n++) {
      const row = numbers[n] * stride;
      let sum = 0;
      for (let i = 0; i < query.length; i++) sum += query[i] * bytes[row + i];
      products[n] = sum;
    }
    return products.subarray(0, count);
  }

  private grow(rows: number): void {
    const kept = this.bytes.slice();
    this.room = Math.max(rows, 1_024, 2 * this.room);
    const rowBytes = this.room * this.stride;
    if (this.memory === undefined) {
      this.bytes = new Int8Array(rowBytes);
      this.products = new Int32Array(this.room);
      this.numbers = new Int32Array(this.room);
    } else {
      const productsAt = this.rowsAt + rowBytes;
      const numbersAt = productsAt + 4 * this.room;
      const missing = Math.ceil((numbersAt + 4 * this.room - this.memory.buffer.byteLength) / pageBytes);
      if (missing > 0) this.memory.grow(missing);
      this.bytes = new Int8Array(this.memory.buffer, this.rowsAt, rowBytes);
      this.products = new Int32Array(this.memory.buffer, productsAt, this.room);
      this.numbers = new Int32Array(this.memory.buffer, numbersAt, this.room);
    }
    this.bytes.set(kept);
  }
}
