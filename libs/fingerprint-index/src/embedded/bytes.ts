/** Appends little-endian values to a growing buffer: the encoder of track tables and log records. */
export class ByteWriter {
  private buffer = Buffer.allocUnsafe(1024);
  private length = 0;

  /** Unsigned integer up to 2^53 - 1, 7 bits a byte, low bits first. */
  varint(value: number): void {
    this.reserve(8);
    let rest = value;
    while (rest >= 128) {
      this.buffer[this.length++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    this.buffer[this.length++] = rest;
  }

  /** UTF-8 text with its length in bytes before it. */
  text(value: string): void {
    const size = Buffer.byteLength(value);
    this.varint(size);
    this.reserve(size);
    this.length += this.buffer.write(value, this.length);
  }

  /** The bytes of a typed array as they lie in memory (little-endian), without a length. */
  array(values: Uint8Array | Uint32Array): void {
    this.reserve(values.byteLength);
    this.buffer.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), this.length);
    this.length += values.byteLength;
  }

  /** What was written so far; the caller may keep it once writing is over. */
  bytes(): Buffer {
    return this.buffer.subarray(0, this.length);
  }

  private reserve(extra: number): void {
    if (this.length + extra <= this.buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.length + extra));
    this.buffer.copy(grown, 0, 0, this.length);
    this.buffer = grown;
  }
}

/** Reads what {@link ByteWriter} wrote; reading past the end throws a RangeError. */
export class ByteReader {
  private at = 0;

  constructor(private readonly buffer: Uint8Array) {}

  varint(): number {
    let value = 0;
    let factor = 1;
    for (;;) {
      const byte = this.buffer[this.take(1)];
      value += (byte & 127) * factor;
      if (byte < 128) return value;
      factor *= 128;
      if (factor > 2 ** 49) throw new RangeError('varint is too long');
    }
  }

  text(): string {
    const size = this.varint();
    const start = this.take(size);
    return Buffer.from(this.buffer.buffer, this.buffer.byteOffset + start, size).toString('utf8');
  }

  /** A copy of `length` 32-bit values. */
  uint32Array(length: number): Uint32Array {
    return new Uint32Array(this.copy(length * 4));
  }

  /** A copy of `length` bytes. */
  uint8Array(length: number): Uint8Array {
    return new Uint8Array(this.copy(length));
  }

  get finished(): boolean {
    return this.at === this.buffer.length;
  }

  private copy(size: number): ArrayBuffer {
    const start = this.take(size);
    const copy = new ArrayBuffer(size);
    new Uint8Array(copy).set(this.buffer.subarray(start, start + size));
    return copy;
  }

  private take(size: number): number {
    const start = this.at;
    if (start + size > this.buffer.length)
      throw new RangeError(`needs ${size} bytes at ${start} of ${this.buffer.length}`);
    this.at = start + size;
    return start;
  }
}
