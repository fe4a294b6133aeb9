import { ShapeError } from '@earmark/kernel';
import { DspOptionError } from './option-error.js';

/** Second-order section, y[n] = b0 x[n] + b1 x[n-1] + b2 x[n-2] - a1 y[n-1] - a2 y[n-2]. */
export type BiquadCoefficients = Readonly<{ b0: number; b1: number; b2: number; a1: number; a2: number }>;

/** Streaming cascade of second-order sections for one channel (transposed direct form II, double precision). */
export class BiquadFilter {
  /** Two state values a section. */
  private readonly state: Float64Array;

  constructor(private readonly sections: readonly BiquadCoefficients[]) {
    this.state = new Float64Array(2 * sections.length);
  }

  /**
   * Filters the next samples.
   *
   * @param out receives the result, at least as long as `input`; it may be `input`
   * @returns the part of `out` that was filled
   * @throws {ShapeError} if `out` is too short
   */
  process(input: Float32Array, out: Float32Array): Float32Array {
    if (out.length < input.length)
      throw new ShapeError('out', `at least ${input.length} samples`, out.length);
    const { state } = this;
    for (let n = 0; n < input.length; n++) {
      let value = input[n];
      for (let s = 0; s < this.sections.length; s++) {
        const { b0, b1, b2, a1, a2 } = this.sections[s];
        const result = b0 * value + state[2 * s];
        state[2 * s] = b1 * value - a1 * result + state[2 * s + 1];
        state[2 * s + 1] = b2 * value - a2 * result;
        value = result;
      }
      out[n] = value;
    }
    return out.subarray(0, input.length);
  }

  /** Forgets the stream. */
  reset(): void {
    this.state.fill(0);
  }
}

/**
 * The two sections of K-weighting (head shelf, then high-pass) for any sample rate.
 *
 * The standard tabulates 48 kHz only; these are its analogue prototypes through the bilinear transform, equal to the
 * table at 48 kHz.
 *
 * @param sampleRateHz 8,000 and up
 * @throws {DspOptionError} for a lower rate
 * @see ITU-R BS.1770-4, annex 1, tables 1 and 2
 */
export function kWeighting(sampleRateHz: number): readonly [BiquadCoefficients, BiquadCoefficients] {
  if (!(sampleRateHz >= 8000)) throw new DspOptionError('sampleRateHz', 'at least 8000', sampleRateHz);
  const shelf = Math.tan((Math.PI * 1681.974450955533) / sampleRateHz);
  const shelfDamping = shelf / 0.7071752369554196;
  const high = 10 ** (3.999843853973347 / 20);
  const middle = high ** 0.4996667741545416;
  const shelfNorm = 1 + shelfDamping + shelf * shelf;
  const pass = Math.tan((Math.PI * 38.13547087602444) / sampleRateHz);
  const passDamping = pass / 0.5003270373238773;
  const passNorm = 1 + passDamping + pass * pass;
  return [
    {
      b0: (high + middle * shelfDamping + shelf * shelf) / shelfNorm,
      b1: (2 * (shelf * shelf - high)) / shelfNorm,
      b2: (high - middle * shelfDamping + shelf * shelf) / shelfNorm,
      a1: (2 * (shelf * shelf - 1)) / shelfNorm,
      a2: (1 - shelfDamping + shelf * shelf) / shelfNorm,
    },
    {
      b0: 1,
      b1: -2,
      b2: 1,
      a1: (2 * (pass * pass - 1)) / passNorm,
      a2: (1 - passDamping + pass * pass) / passNorm,
    },
  ];
}
