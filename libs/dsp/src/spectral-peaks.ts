import { createPeakKernel, type BackendChoice } from './backend.js';
import { DspOptionError, requireInteger, requirePowerOfTwo } from './option-error.js';
import type { PeakKernel } from './peak-kernel.js';
import type { PeakList } from './peak-list.js';
import { hannWindow } from './window.js';

/** Which cells of the spectrogram count as peaks. */
export type SpectralPeakOptions = Readonly<{
  /** Power of two, 64 to 8,192. */
  fftSize: number;
  /** Samples from frame to frame, 1 to fftSize. */
  hopSamples: number;
  /** Bins on either side that a peak tops, 1 to 64. */
  binRadius: number;
  /** Frames on either side that a peak tops, 1 to 32. */
  frameRadius: number;
  /** First bin that may hold a peak, at least 1. */
  minBin: number;
  /** End of these bins (exclusive), at most fftSize / 2. */
  maxBin: number;
  /** Level under which nothing is a peak, dB; 0 is a full-scale sine. */
  floorDb: number;
  /** Added to the power before the logarithm, so that the parabola is calm near silence; dB as above. */
  offsetDb: number;
  /** Frames that are transformed in one call of the kernel, 4 to 1,024: the granularity of the output. */
  blockFrames: number;
}>;

/** The feasibility study's settings, for 11,025 Hz. */
export const DEFAULT_SPECTRAL_PEAK_OPTIONS: SpectralPeakOptions = {
  fftSize: 1024,
  hopSamples: 256,
  binRadius: 6,
  frameRadius: 5,
  minBin: 20,
  maxBin: 480,
  floorDb: -87,
  offsetDb: -118,
  blockFrames: 64,
};

/**
 * Streaming peaks of a Hann-windowed power spectrogram, with sub-bin and sub-frame position.
 *
 * Frame f covers samples f * hop .. f * hop + fftSize; only whole frames count. Neighbours before the first and after
 * the last frame do not exist. Memory does not grow with the stream, the result does not depend on how it is cut into
 * blocks, and both back ends give the same peaks bit for bit.
 *
 * @see A. Wang, "An Industrial-Strength Audio Search Algorithm", ISMIR 2003, section 2.1
 */
export class SpectralPeaks {
  readonly options: SpectralPeakOptions;
  private readonly kernel: PeakKernel;
  private readonly offsetPower: number;
  private readonly advance: number;
  private held = 0;

  /**
   * @param options what differs from {@link DEFAULT_SPECTRAL_PEAK_OPTIONS}
   * @param backend default `auto`: WASM where the host has SIMD
   * @throws {DspOptionError} if an option is out of range
   */
  constructor(options: Partial<SpectralPeakOptions> = {}, backend: BackendChoice = 'auto') {
    this.options = { ...DEFAULT_SPECTRAL_PEAK_OPTIONS, ...options };
    const { fftSize, hopSamples, binRadius, frameRadius, minBin, maxBin, floorDb, offsetDb, blockFrames } =
      this.options;
    requirePowerOfTwo('fftSize', fftSize, 64, 8192);
    requireInteger('hopSamples', hopSamples, 1, fftSize);
    requireInteger('binRadius', binRadius, 1, 64);
    requireInteger('frameRadius', frameRadius, 1, 32);
    requireInteger('minBin', minBin, 1, fftSize / 2 - 1);
    requireInteger('maxBin', maxBin, minBin + 1, fftSize / 2);
    requireInteger('blockFrames', blockFrames, 4, 1024);
    if (!(floorDb > -300 && floorDb < 300)) throw new DspOptionError('floorDb', 'from -300 to 300', floorDb);
    if (!(offsetDb > -300 && offsetDb < 300))
      throw new DspOptionError('offsetDb', 'from -300 to 300', offsetDb);
    // Power 1 is a full-scale sine, |X| = fftSize / 4; the kernel leaves a factor 2 out of its amplitudes.
    const window = hannWindow(fftSize).map((weight) => (weight * 2) / fftSize);
    const floorPower = Math.fround(10 ** (floorDb / 10));
    const settings = {
      fftSize,
      hopSamples,
      binRadius,
      frameRadius,
      minBin,
      maxBin,
      floorPower,
      blockFrames,
      window,
    };
    this.kernel = createPeakKernel(settings, backend);
    this.offsetPower = 10 ** (offsetDb / 10);
    this.advance = blockFrames * hopSamples;
  }

  /** Takes the next samples (mono, -1..1) and appends the peaks that are certain by now to `peaks`. */
  process(samples: Float32Array, peaks: PeakList): void {
    const input = this.kernel.samples;
    let taken = 0;
    while (taken < samples.length) {
      const count = Math.min(samples.length - taken, input.length - this.held);
      input.set(samples.subarray(taken, taken + count), this.held);
      taken += count;
      this.held += count;
      if (this.held === input.length) {
        this.append(this.kernel.run(this.options.blockFrames, false), peaks);
        input.copyWithin(0, this.advance, this.held);
        this.held -= this.advance;
      }
    }
  }

  /** Ends the stream: appends the peaks that are left and starts anew at frame 0. */
  flush(peaks: PeakList): void {
    const { fftSize, hopSamples } = this.options;
    this.kernel.samples.fill(0, this.held);
    const frames = this.held < fftSize ? 0 : Math.floor((this.held - fftSize) / hopSamples) + 1;
    this.append(this.kernel.run(frames, true), peaks);
    this.kernel.reset();
    this.held = 0;
  }

  private append(count: number, peaks: PeakList): void {
    const { frames, bins, powers } = this.kernel;
    for (let n = 0; n < count; n++) {
      const at = 5 * n;
      const level = Math.log(powers[at] + this.offsetPower);
      const bin = bins[n] + vertex(this.logPower(powers[at + 1]), level, this.logPower(powers[at + 2]));
      const before = powers[at + 3];
      const after = powers[at + 4];
      const frame =
        before < 0 || after < 0
          ? frames[n]
          : frames[n] + vertex(this.logPower(before), level, this.logPower(after));
      peaks.push(frame, bin, 10 * Math.log10(powers[at]));
    }
  }

  private logPower(power: number): number {
    return Math.log(power + this.offsetPower);
  }
}

/** Place of the top of a parabola through three points, relative to the middle one, -0.5..0.5. */
function vertex(left: number, middle: number, right: number): number {
  const curvature = left - 2 * middle + right;
  if (!(curvature < 0)) return 0;
  return Math.min(0.5, Math.max(-0.5, (0.5 * (left - right)) / curvature));
}
