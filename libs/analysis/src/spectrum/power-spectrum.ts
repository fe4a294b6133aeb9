import { RealFft, type Spectrum } from '@earmark/dsp';

/** Power spectra of real frames of one size; a call allocates nothing. */
export class PowerSpectrum {
  private readonly fft: RealFft;
  private readonly spectrum: Spectrum;

  /**
   * @param size samples of a frame, a power of two, 4 or more
   * @throws {DspOptionError} if `size` is not such a number
   */
  constructor(size: number) {
    this.fft = new RealFft(size);
    this.spectrum = this.fft.createSpectrum();
  }

  /**
   * Writes |X[k]|^2 of one frame, unscaled.
   *
   * @param frame `size` real samples, windowed by the caller
   * @param power receives `size / 2 + 1` values
   */
  power(frame: ArrayLike<number>, power: Float32Array | Float64Array): void {
    const { re, im } = this.fft.forward(frame, this.spectrum);
    for (let k = 0; k < re.length; k++) power[k] = re[k] * re[k] + im[k] * im[k];
  }
}
