import type { FftPlan } from './fft-plan.js';

const fround = Math.fround;

/**
 * Power spectrum of one frame at a time in plain TypeScript.
 *
 * Every operation is rounded to float32 in the order in which the SIMD kernel does it (there, four frames lie in the
 * four lanes), so that both give the same bits.
 */
export class JsPowerSpectrum {
  /** Complex values in place, interleaved. */
  private readonly work: Float32Array;
  private readonly twiddles: Float32Array;
  private readonly splits: Float32Array;

  /**
   * @param plan tables of the transform
   * @param window weights of the first samples of a frame, at most `plan.size`; the rest of the frame counts as zero
   */
  constructor(
    private readonly plan: FftPlan,
    private readonly window: Float32Array,
  ) {
    this.work = new Float32Array(plan.size);
    this.twiddles = Float32Array.from(plan.twiddles);
    this.splits = Float32Array.from(plan.splits);
  }

  /**
   * Writes 4 |X[k]|^2 of the windowed frame that starts at `samples[start]`, for k = 0 .. size / 2, to `power[at + k]`
   * (the factor 4 is left out of the split of the real spectrum; callers halve their window).
   */
  transform(samples: Float32Array, start: number, power: Float32Array, at: number): void {
    const { work, window } = this;
    for (let n = 0; n < window.length; n++) work[n] = window[n] * samples[start + n];
    work.fill(0, window.length);
    let span = work.length / 2;
    let table = 0;
    if (Math.log2(span) % 2 === 1) {
      table = this.radix2(span);
      span /= 2;
    }
    for (; span > 1; span /= 4) table = this.radix4(span, table);
    this.split(power, at);
  }

  private radix2(span: number): number {
    const { work, twiddles } = this;
    const half = span / 2;
    for (let j = 0; j < half; j++) {
      const a = 2 * j;
      const b = a + span;
      const wr = twiddles[2 * j];
      const wi = twiddles[2 * j + 1];
      const re = fround(work[a] - work[b]);
      const im = fround(work[a + 1] - work[b + 1]);
      work[a] = work[a] + work[b];
      work[a + 1] = work[a + 1] + work[b + 1];
      work[b] = fround(re * wr) - fround(im * wi);
      work[b + 1] = fround(re * wi) + fround(im * wr);
    }
    return span;
  }

  private radix4(span: number, table: number): number {
    const { work, twiddles } = this;
    const quarter = span / 4;
    for (let j = 0; j < quarter; j++) {
      const t = table + 6 * j;
      const w1r = twiddles[t];
      const w1i = twiddles[t + 1];
      const w2r = twiddles[t + 2];
      const w2i = twiddles[t + 3];
      const w3r = twiddles[t + 4];
      const w3i = twiddles[t + 5];
      for (let a = 2 * j; a < work.length; a += 2 * span) {
        const b = a + 2 * quarter;
        const c = b + 2 * quarter;
        const d = c + 2 * quarter;
        const sumAcRe = fround(work[a] + work[c]);
        const sumAcIm = fround(work[a + 1] + work[c + 1]);
        const difAcRe = fround(work[a] - work[c]);
        const difAcIm = fround(work[a + 1] - work[c + 1]);
        const sumBdRe = fround(work[b] + work[d]);
        const sumBdIm = fround(work[b + 1] + work[d + 1]);
        const difBdRe = fround(work[b] - work[d]);
        const difBdIm = fround(work[b + 1] - work[d + 1]);
        work[a] = sumAcRe + sumBdRe;
        work[a + 1] = sumAcIm + sumBdIm;
        const re1 = fround(difAcRe + difBdIm);
        const im1 = fround(difAcIm - difBdRe);
        work[b] = fround(re1 * w1r) - fround(im1 * w1i);
        work[b + 1] = fround(re1 * w1i) + fround(im1 * w1r);
        const re2 = fround(sumAcRe - sumBdRe);
        const im2 = fround(sumAcIm - sumBdIm);
        work[c] = fround(re2 * w2r) - fround(im2 * w2i);
        work[c + 1] = fround(re2 * w2i) + fround(im2 * w2r);
        const re3 = fround(difAcRe - difBdIm);
        const im3 = fround(difAcIm + difBdRe);
        work[d] = fround(re3 * w3r) - fround(im3 * w3i);
        work[d + 1] = fround(re3 * w3i) + fround(im3 * w3r);
      }
    }
    return table + 6 * quarter;
  }

  private split(power: Float32Array, at: number): void {
    const { work, splits } = this;
    const { places } = this.plan;
    const half = work.length / 2;
    for (let k = 0; k <= half / 2; k++) {
      const a = 2 * places[k];
      const b = 2 * places[(half - k) % half];
      const evenRe = fround(work[a] + work[b]);
      const evenIm = fround(work[a + 1] - work[b + 1]);
      const oddRe = fround(work[a + 1] + work[b + 1]);
      const oddIm = fround(work[b] - work[a]);
      const wr = splits[2 * k];
      const wi = splits[2 * k + 1];
      const re = fround(fround(wr * oddRe) - fround(wi * oddIm));
      const im = fround(fround(wr * oddIm) + fround(wi * oddRe));
      const lowRe = fround(evenRe + re);
      const lowIm = fround(evenIm + im);
      const highRe = fround(evenRe - re);
      const highIm = fround(evenIm - im);
      power[at + k] = fround(lowRe * lowRe) + fround(lowIm * lowIm);
      power[at + half - k] = fround(highRe * highRe) + fround(highIm * highIm);
    }
  }
}
