/**
 * Cuts a stream of PCM blocks of any length into overlapping frames. The first frame is centred on sample 0 (the
 * missing half is silence) and frame `i` on sample `i * hopSamples`. Memory: one frame.
 */
export class FrameStream {
  private readonly ring: Float32Array;
  private filled: number;
  private flushed = false;

  /**
   * @param frameSamples length of a frame, even
   * @param hopSamples distance between frame centres, at most `frameSamples`
   * @param onFrame called once a frame with a view that is valid only during the call
   */
  constructor(
    readonly frameSamples: number,
    readonly hopSamples: number,
    private readonly onFrame: (frame: Float32Array) => void,
  ) {
    this.ring = new Float32Array(frameSamples);
    this.filled = frameSamples / 2;
  }

  /** Adds samples in -1..1. */
  push(samples: Float32Array): void {
    let at = 0;
    while (at < samples.length) {
      const n = Math.min(this.frameSamples - this.filled, samples.length - at);
      this.ring.set(samples.subarray(at, at + n), this.filled);
      this.filled += n;
      at += n;
      if (this.filled === this.frameSamples) {
        this.onFrame(this.ring);
        this.ring.copyWithin(0, this.hopSamples);
        this.filled = this.frameSamples - this.hopSamples;
      }
    }
  }

  /** Fills the end with silence until the last sample has been inside the first half of a frame. Call once. */
  flush(): void {
    if (this.flushed) return;
    this.flushed = true;
    this.push(new Float32Array(this.frameSamples / 2));
  }
}

/** A Hann window, periodic: `0.5 - 0.5 cos(2 pi n / length)`, for `n` in 0 .. length - 1. */
export function hannPeriodic(length: number): Float32Array {
  const window = new Float32Array(length);
  for (let n = 0; n < length; n++) window[n] = 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / length);
  return window;
}

/** A list of numbers that grows by doubling; holds features, one row a frame. */
export class GrowingFloats {
  private data = new Float32Array(4096);
  private used = 0;

  /** Values appended so far. */
  get length(): number {
    return this.used;
  }

  /** Appends `row`. */
  append(row: ArrayLike<number>): void {
    if (this.used + row.length > this.data.length) {
      const larger = new Float32Array(Math.max(this.data.length * 2, this.used + row.length));
      larger.set(this.data.subarray(0, this.used));
      this.data = larger;
    }
    this.data.set(row, this.used);
    this.used += row.length;
  }

  /** The values appended so far, as a view that later appends may detach. */
  view(): Float32Array {
    return this.data.subarray(0, this.used);
  }
}
