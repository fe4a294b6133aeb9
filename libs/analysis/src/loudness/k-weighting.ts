/** Weights one channel like the head and the low-cut curve of ITU-R BS.1770; keeps its state between blocks. */
export class KWeighting {
  private readonly shelf: readonly number[];
  private readonly highPass: readonly number[];
  private s1 = 0;
  private s2 = 0;
  private h1 = 0;
  private h2 = 0;

  /**
   * @param sampleRateHz rate of the signal; the analogue prototype of the standard's 48 kHz filters is moved to it
   * @see ITU-R BS.1770-5, annex 1; G. Jacobs, libebur128, for the prototype's parameters
   */
  constructor(sampleRateHz: number) {
    this.shelf = shelfFilter(sampleRateHz);
    this.highPass = highPassFilter(sampleRateHz);
  }

  /** Filters `input[from .. to - 1]` and gives the sum of the squares of the output. */
  energy(input: Float32Array, from: number, to: number): number {
    const [b0, b1, b2, a1, a2] = this.shelf;
    const [, , , c1, c2] = this.highPass;
    let { s1, s2, h1, h2 } = this;
    let sum = 0;
    for (let i = from; i < to; i++) {
      const x = input[i];
      const s0 = x - a1 * s1 - a2 * s2;
      const y = b0 * s0 + b1 * s1 + b2 * s2;
      s2 = s1;
      s1 = s0;
      const h0 = y - c1 * h1 - c2 * h2;
      const z = h0 - 2 * h1 + h2;
      h2 = h1;
      h1 = h0;
      sum += z * z;
    }
    // Denormal states slow the loop down for as long as silence lasts.
    this.s1 = Math.abs(s1) < 1e-30 ? 0 : s1;
    this.s2 = Math.abs(s2) < 1e-30 ? 0 : s2;
    this.h1 = Math.abs(h1) < 1e-30 ? 0 : h1;
    this.h2 = Math.abs(h2) < 1e-30 ? 0 : h2;
    return sum;
  }
}

function shelfFilter(rate: number): number[] {
  const k = Math.tan((Math.PI * 1681.974450955533) / rate);
  const q = 0.7071752369554196;
  const vh = 10 ** (3.999843853973347 / 20);
  const vb = vh ** 0.4996667741545416;
  const a0 = 1 + k / q + k * k;
  return [
    (vh + (vb * k) / q + k * k) / a0,
    (2 * (k * k - vh)) / a0,
    (vh - (vb * k) / q + k * k) / a0,
    (2 * (k * k - 1)) / a0,
    (1 - k / q + k * k) / a0,
  ];
}

function highPassFilter(rate: number): number[] {
  const k = Math.tan((Math.PI * 38.13547087602444) / rate);
  const q = 0.5003270373238773;
  const a0 = 1 + k / q + k * k;
  return [1, -2, 1, (2 * (k * k - 1)) / a0, (1 - k / q + k * k) / a0];
}
