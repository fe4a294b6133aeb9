import type { BiquadCoefficients } from '@earmark/dsp';
import { bandBordersHz } from '../mix-curve.js';

/** Three-band equalizer of one channel whose bands may change all the time; flat bands pass samples unchanged. */
export class Equalizer {
  private readonly low: ShelfFilter;
  private readonly mid: ShelfFilter;
  private readonly high: ShelfFilter;

  constructor(sampleRateHz: number) {
    const { low, high } = bandBordersHz;
    this.low = new ShelfFilter((db) => shelf(sampleRateHz, low, db, 1));
    this.mid = new ShelfFilter((db) => bell(sampleRateHz, Math.sqrt(low * high), high - low, db));
    this.high = new ShelfFilter((db) => shelf(sampleRateHz, high, db, -1));
  }

  /** Filters samples in place. @param lowDb, midDb, highDb what is added to each band, dB */
  process(samples: Float32Array, lowDb: number, midDb: number, highDb: number): void {
    this.low.process(samples, lowDb);
    this.mid.process(samples, midDb);
    this.high.process(samples, highDb);
  }
}

/** One second-order section that keeps its state while its gain changes (transposed direct form II). */
class ShelfFilter {
  private coefficients: BiquadCoefficients = { b0: 1, b1: 0, b2: 0, a1: 0, a2: 0 };
  private gainDb = 0;
  private s1 = 0;
  private s2 = 0;

  constructor(private readonly design: (gainDb: number) => BiquadCoefficients) {}

  process(samples: Float32Array, gainDb: number): void {
    if (gainDb !== this.gainDb) {
      this.gainDb = gainDb;
      this.coefficients = this.design(gainDb);
    }
    // A flat section whose past has died away does nothing.
    if (gainDb === 0 && Math.abs(this.s1) + Math.abs(this.s2) < 1e-9) return;
    const { b0, b1, b2, a1, a2 } = this.coefficients;
    for (let i = 0; i < samples.length; i++) {
      const value = samples[i];
      const result = b0 * value + this.s1;
      this.s1 = b1 * value - a1 * result + this.s2;
      this.s2 = b2 * value - a2 * result;
      samples[i] = result;
    }
  }
}

/**
 * Shelf of slope 1.
 *
 * @param side 1: low shelf, -1: high shelf
 * @see R. Bristow-Johnson, "Cookbook formulae for audio EQ biquad filter coefficients"
 */
function shelf(sampleRateHz: number, cornerHz: number, gainDb: number, side: 1 | -1): BiquadCoefficients {
  const a = 10 ** (gainDb / 40);
  const w = (2 * Math.PI * cornerHz) / sampleRateHz;
  const cos = side * Math.cos(w);
  const slope = 2 * Math.sqrt(a) * (Math.sin(w) / Math.SQRT2);
  const a0 = a + 1 + (a - 1) * cos + slope;
  return {
    b0: (a * (a + 1 - (a - 1) * cos + slope)) / a0,
    b1: (2 * a * side * (a - 1 - (a + 1) * cos)) / a0,
    b2: (a * (a + 1 - (a - 1) * cos - slope)) / a0,
    a1: (-2 * side * (a - 1 + (a + 1) * cos)) / a0,
    a2: (a + 1 + (a - 1) * cos - slope) / a0,
  };
}

/** Bell over a width in hertz; source as {@link shelf}. */
function bell(sampleRateHz: number, centreHz: number, widthHz: number, gainDb: number): BiquadCoefficients {
  const a = 10 ** (gainDb / 40);
  const w = (2 * Math.PI * centreHz) / sampleRateHz;
  const alpha = (Math.sin(w) * widthHz) / (2 * centreHz);
  const a0 = 1 + alpha / a;
  return {
    b0: (1 + alpha * a) / a0,
    b1: (-2 * Math.cos(w)) / a0,
    b2: (1 - alpha * a) / a0,
    a1: (-2 * Math.cos(w)) / a0,
    a2: (1 - alpha / a) / a0,
  };
}
