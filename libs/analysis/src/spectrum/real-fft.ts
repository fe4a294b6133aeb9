import { ShapeError } from '@earmark/kernel';

/**
 * Fast Fourier transform of real frames of one size: a complex radix-2 transform of half the size plus a split step.
 * Holds its tables and scratch memory, so that a call allocates nothing.
 */
export class RealFft {
  /** Bins of a spectrum: `size / 2 + 1`. */
  readonly bins: number;
  private readonly re: Float64Array;
  private readonly im: Float64Array;
  private readonly cos: Float64Array;
  private readonly sin: Float64Array;
  private readonly reversed: Uint32Array;

  /**
   * @param size samples of a frame, a power of two, 4 or more
   * @throws {ShapeError} if `size` is not such a number
   */
  constructor(readonly size: number) {
    if (size < 4 || (size & (size - 1)) !== 0) throw new ShapeError('size', 'a power of two >= 4', size);
    const half = size / 2;
    this.bins = half + 1;
    this.re = new Float64Array(half);
    this.im = new Float64Array(half);
    this.cos = new Float64Array(half);
    this.sin = new Float64Array(half);
    for (let i = 0; i < half; i++) {
      this.cos[i] = Math.cos((2 * Math.PI * i) / size);
      this.sin[i] = -Math.sin((2 * Math.PI * i) / size);
    }
    const bits = Math.log2(half);
    this.reversed = new Uint32Array(half);
    for (let i = 0; i < half; i++) {
      let r = 0;
      for (let b = 0; b < bits; b++) r |= ((i >> b) & 1) << (bits - 1 - b);
      this.reversed[i] = r;
    }
  }

  /**
   * Writes the power spectrum |X[k]|^2 of one frame, unscaled.
   *
   * @param frame `size` real samples, windowed by the caller
   * @param power receives `bins` values
   */
  power(frame: ArrayLike<number>, power: Float32Array | Float64Array): void {
    const { re, im, cos, sin, reversed, size } = this;
    const half = size / 2;
    for (let i = 0; i < half; i++) {
      const j = reversed[i];
      re[j] = frame[2 * i]!;
      im[j] = frame[2 * i + 1]!;
    }
    for (let i = 0; i < half; i += 2) {
      const xr = re[i + 1];
      const xi = im[i + 1];
      re[i + 1] = re[i] - xr;
      im[i + 1] = im[i] - xi;
      re[i] += xr;
      im[i] += xi;
    }
    for (let span = 2; span < half; span <<= 1) this.combine(span);
    const first = re[0] + im[0];
    const last = re[0] - im[0];
    power[0] = first * first;
    power[half] = last * last;
    for (let k = 1; k < half; k++) {
      const m = half - k;
      const er = 0.5 * (re[k] + re[m]);
      const ei = 0.5 * (im[k] - im[m]);
      const or = 0.5 * (im[k] + im[m]);
      const oi = -0.5 * (re[k] - re[m]);
      const xr = er + or * cos[k] - oi * sin[k];
      const xi = ei + or * sin[k] + oi * cos[k];
      power[k] = xr * xr + xi * xi;
    }
  }

  /** One radix-2 pass: butterflies of values `span` apart. */
  private combine(span: number): void {
    const { re, im, cos, sin } = this;
    const half = this.size / 2;
    const stride = half / span;
    for (let block = 0; block < half; block += span << 1) {
      for (let k = 0, t = 0; k < span; k++, t += stride) {
        const i = block + k;
        const j = i + span;
        const wr = cos[t];
        const wi = sin[t];
        const xr = re[j] * wr - im[j] * wi;
        const xi = re[j] * wi + im[j] * wr;
        re[j] = re[i] - xr;
        im[j] = im[i] - xi;
        re[i] += xr;
        im[i] += xi;
      }
    }
  }
}
