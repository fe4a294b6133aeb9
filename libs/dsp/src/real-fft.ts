import { ShapeError } from '@earmark/kernel';
import { createFftPlan, type FftPlan } from './fft-plan.js';

/** Spectrum of real values: bins 0 .. size / 2. */
export type Spectrum = Readonly<{ re: Float64Array; im: Float64Array }>;

/**
 * FFT of real values of one size in double precision, for analysis code outside the SIMD kernels.
 *
 * Not scaled: X[k] = sum of x[n] exp(-2 pi i k n / size). Reuse an instance; it owns its scratch memory.
 */
export class RealFft {
  private readonly plan: FftPlan;
  /** Complex values in place, interleaved. */
  private readonly work: Float64Array;

  /**
   * @param size power of two, 4 to 1,048,576
   * @throws {DspOptionError} for another size
   */
  constructor(readonly size: number) {
    this.plan = createFftPlan(size);
    this.work = new Float64Array(size);
  }

  /**
   * Transforms `input`.
   *
   * @param input `size` values
   * @param out receives bins 0 .. size / 2; by default new arrays
   * @throws {ShapeError} if a length does not fit
   */
  forward(input: ArrayLike<number>, out: Spectrum = this.createSpectrum()): Spectrum {
    const bins = this.size / 2 + 1;
    if (input.length !== this.size) throw new ShapeError('input', `${this.size} values`, input.length);
    if (out.re.length !== bins) throw new ShapeError('out.re', `${bins} values`, out.re.length);
    if (out.im.length !== bins) throw new ShapeError('out.im', `${bins} values`, out.im.length);
    const { work } = this;
    for (let n = 0; n < work.length; n++) work[n] = input[n];
    let span = this.size / 2;
    let table = 0;
    if (Math.log2(span) % 2 === 1) {
      table = this.radix2(span);
      span /= 2;
    }
    for (; span > 1; span /= 4) table = this.radix4(span, table);
    this.split(out);
    return out;
  }

  /** New arrays of the right length for {@link forward}. */
  createSpectrum(): Spectrum {
    return { re: new Float64Array(this.size / 2 + 1), im: new Float64Array(this.size / 2 + 1) };
  }

  private radix2(span: number): number {
    const { work } = this;
    const { twiddles } = this.plan;
    for (let a = 0; a < span; a += 2) {
      const b = a + span;
      const wr = twiddles[a];
      const wi = twiddles[a + 1];
      const re = work[a] - work[b];
      const im = work[a + 1] - work[b + 1];
      work[a] += work[b];
      work[a + 1] += work[b + 1];
      work[b] = re * wr - im * wi;
      work[b + 1] = re * wi + im * wr;
    }
    return span;
  }

  private radix4(span: number, table: number): number {
    const { work } = this;
    const { twiddles } = this.plan;
    const quarter = span / 4;
    for (let j = 0; j < quarter; j++, table += 6) {
      const w1r = twiddles[table];
      const w1i = twiddles[table + 1];
      const w2r = twiddles[table + 2];
      const w2i = twiddles[table + 3];
      const w3r = twiddles[table + 4];
      const w3i = twiddles[table + 5];
      for (let a = 2 * j; a < work.length; a += 2 * span) {
        const b = a + 2 * quarter;
        const c = b + 2 * quarter;
        const d = c + 2 * quarter;
        const sumAcRe = work[a] + work[c];
        const sumAcIm = work[a + 1] + work[c + 1];
        const difAcRe = work[a] - work[c];
        const difAcIm = work[a + 1] - work[c + 1];
        const sumBdRe = work[b] + work[d];
        const sumBdIm = work[b + 1] + work[d + 1];
        const difBdRe = work[b] - work[d];
        const difBdIm = work[b + 1] - work[d + 1];
        const re1 = difAcRe + difBdIm;
        const im1 = difAcIm - difBdRe;
        const re2 = sumAcRe - sumBdRe;
        const im2 = sumAcIm - sumBdIm;
        const re3 = difAcRe - difBdIm;
        const im3 = difAcIm + difBdRe;
        work[a] = sumAcRe + sumBdRe;
        work[a + 1] = sumAcIm + sumBdIm;
        work[b] = re1 * w1r - im1 * w1i;
        work[b + 1] = re1 * w1i + im1 * w1r;
        work[c] = re2 * w2r - im2 * w2i;
        work[c + 1] = re2 * w2i + im2 * w2r;
        work[d] = re3 * w3r - im3 * w3i;
        work[d + 1] = re3 * w3i + im3 * w3r;
      }
    }
    return table;
  }

  private split(out: Spectrum): void {
    const { work } = this;
    const { places, splits } = this.plan;
    const half = work.length / 2;
    for (let k = 0; k <= half / 2; k++) {
      const a = 2 * places[k];
      const b = 2 * places[(half - k) % half];
      const evenRe = (work[a] + work[b]) / 2;
      const evenIm = (work[a + 1] - work[b + 1]) / 2;
      const oddRe = (work[a + 1] + work[b + 1]) / 2;
      const oddIm = (work[b] - work[a]) / 2;
      const wr = splits[2 * k];
      const wi = splits[2 * k + 1];
      const re = wr * oddRe - wi * oddIm;
      const im = wr * oddIm + wi * oddRe;
      out.re[k] = evenRe + re;
      out.im[k] = evenIm + im;
      out.re[half - k] = evenRe - re;
      out.im[half - k] = im - evenIm;
    }
  }
}

/**
 * FFT of real values, once; {@link RealFft} is faster for many of one size.
 *
 * @param input a power of two of values, 4 to 1,048,576
 * @throws {DspOptionError} for another length
 */
export function fftReal(input: ArrayLike<number>): Spectrum {
  return new RealFft(input.length).forward(input);
}
