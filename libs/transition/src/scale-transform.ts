import { PowerSpectrum } from '@earmark/analysis';
import { atLag, autocorrelation } from './autocorrelation.js';

/** Frames per second of the envelopes. */
export const envelopeRateHz = 62.5;
/** Values of a rhythm description of one envelope. */
export const rhythmSize = 20;

const shortestLagSeconds = 0.08;
const longestLagSeconds = 3.5;
const points = 128;

/**
 * Describes the rhythm of an envelope whatever its tempo: the autocorrelation at lags from 0.08 to 3.5 s on a logarithmic
 * axis, where another tempo is a shift, and the magnitude of its Fourier transform, which forgets shifts.
 *
 * @see A. Holzapfel, Y. Stylianou, "Scale transform in rhythmic similarity of music", IEEE TASLP 19(1), 2011
 */
export class ScaleTransform {
  private readonly fft = new PowerSpectrum(points);
  private readonly curve = new Float64Array(points);
  private readonly power = new Float64Array(points / 2 + 1);
  private readonly taper = Float64Array.from({ length: points }, (_, i) => {
    const edge = Math.min(i, points - 1 - i) / (points / 8);
    return edge < 1 ? 0.5 - 0.5 * Math.cos(Math.PI * edge) : 1;
  });

  /**
   * @param envelope onset strength at {@link envelopeRateHz}, at least two values
   * @param out receives {@link rhythmSize} values >= 0 from `at`
   */
  describe(envelope: Float64Array, out: Float32Array, at: number): void {
    const { curve, power, taper } = this;
    const longest = Math.min(envelope.length - 1, Math.ceil(longestLagSeconds * envelopeRateHz) + 1);
    const correlation = autocorrelation(envelope, longest);
    let average = 0;
    for (let i = 0; i < points; i++) {
      const seconds = shortestLagSeconds * (longestLagSeconds / shortestLagSeconds) ** (i / (points - 1));
      curve[i] = atLag(correlation, Math.min(longest - 1, seconds * envelopeRateHz));
      average += curve[i] / points;
    }
    for (let i = 0; i < points; i++) curve[i] = (curve[i] - average) * taper[i];
    this.fft.power(curve, power);
    for (let k = 0; k < rhythmSize; k++) out[at + k] = Math.sqrt(power[k + 1]) / Math.sqrt(points);
  }
}
