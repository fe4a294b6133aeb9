import { createMelKernel, type BackendChoice } from './backend.js';
import { melFilters, type MelNorm, type MelScale } from './mel-filters.js';
import type { MelKernel } from './mel-kernel.js';
import { DspOptionError, requireInteger, requirePowerOfTwo } from './option-error.js';
import { hannWindow } from './window.js';

/** Scale of the output: natural logarithm, decimal logarithm, or 10 log10. */
export type LogScale = 'ln' | 'log10' | 'db';

/** Log-mel front end of a model, as its manifest gives it. */
export type LogMelOptions = Readonly<{
  /** Integer, 1,000 to 768,000. */
  sampleRateHz: number;
  /** Power of two, 64 to 8,192. */
  fftSize: number;
  /** Length of the periodic Hann window, 16 to fftSize; the frame is zero-padded at its end. */
  windowSamples: number;
  /** Samples from frame to frame, 1 to fftSize. */
  hopSamples: number;
  /** 1 to 512. */
  melBands: number;
  fMinHz: number;
  /** At most half the sample rate. */
  fMaxHz: number;
  melScale: MelScale;
  melNorm: MelNorm;
  /** 2: bands sum |X|^2, 1: they sum |X|; not scaled by window or FFT size. */
  power: 1 | 2;
  /** Added to the band before the logarithm, positive. */
  logOffset: number;
  log: LogScale;
  /** Frames computed in one call of the kernel, 4 to 1,024: the granularity of the output. */
  blockFrames: number;
}>;

/** Front end of the tagging model (training/MANIFEST.md). */
export const DEFAULT_LOG_MEL_OPTIONS: LogMelOptions = {
  sampleRateHz: 16_000,
  fftSize: 512,
  windowSamples: 400,
  hopSamples: 320,
  melBands: 80,
  fMinHz: 30,
  fMaxHz: 8000,
  melScale: 'htk',
  melNorm: 'none',
  power: 2,
  logOffset: 1e-5,
  log: 'ln',
  blockFrames: 64,
};

const LOG_FACTOR: Readonly<Record<LogScale, number>> = { ln: 1, log10: Math.LOG10E, db: 10 * Math.LOG10E };

/**
 * Streaming log-mel spectrogram.
 *
 * Frame i covers samples i * hop .. i * hop + windowSamples (left-aligned, no centring, no mirroring); only whole frames
 * count, so n samples give 1 + floor((n - windowSamples) / hop) frames. The result does not depend on how the stream is
 * cut into blocks, and both back ends give the same bits.
 */
export class LogMel {
  readonly options: LogMelOptions;
  private readonly kernel: MelKernel;
  private output: Float32Array;
  private frames = 0;
  private held = 0;
  private skip = 0;

  /**
   * @param options what differs from {@link DEFAULT_LOG_MEL_OPTIONS}
   * @param backend default `auto`: WASM where the host has SIMD
   * @throws {DspOptionError} if an option is out of range
   */
  constructor(options: Partial<LogMelOptions> = {}, backend: BackendChoice = 'auto') {
    this.options = { ...DEFAULT_LOG_MEL_OPTIONS, ...options };
    const { sampleRateHz, fftSize, windowSamples, hopSamples, melBands, fMinHz, fMaxHz } = this.options;
    const { power, logOffset, blockFrames } = this.options;
    requireInteger('sampleRateHz', sampleRateHz, 1000, 768_000);
    requirePowerOfTwo('fftSize', fftSize, 64, 8192);
    requireInteger('windowSamples', windowSamples, 16, fftSize);
    requireInteger('hopSamples', hopSamples, 1, fftSize);
    requireInteger('melBands', melBands, 1, 512);
    requireInteger('blockFrames', blockFrames, 4, 1024);
    if (!(fMaxHz <= sampleRateHz / 2))
      throw new DspOptionError('fMaxHz', 'at most half the sample rate', fMaxHz);
    if (!(fMinHz >= 0 && fMinHz < fMaxHz))
      throw new DspOptionError('fMinHz', 'from 0 to below fMaxHz', fMinHz);
    if (!(logOffset > 0)) throw new DspOptionError('logOffset', 'positive', logOffset);
    const settings = {
      fftSize,
      hopSamples,
      blockFrames,
      window: hannWindow(windowSamples).map((weight) => weight / 2),
      filters: melFilters(this.options),
      amplitude: power === 1,
    };
    this.kernel = createMelKernel(settings, backend);
    this.output = new Float32Array(blockFrames * melBands);
  }

  /**
   * Takes the next samples (mono, -1..1) and gives the frames that whole blocks of `blockFrames` allow by now.
   *
   * @returns row-major [frames, melBands], a view that is valid until the next call; may be empty
   */
  process(samples: Float32Array): Float32Array {
    this.frames = 0;
    this.push(samples);
    return this.view();
  }

  /**
   * Ends the stream and makes the front end ready for a new one.
   *
   * @returns the frames that are left, as from {@link process}
   */
  flush(): Float32Array {
    const { windowSamples, hopSamples } = this.options;
    this.frames = 0;
    if (this.held >= windowSamples) this.runBlock(Math.floor((this.held - windowSamples) / hopSamples) + 1);
    this.held = 0;
    this.skip = 0;
    return this.view();
  }

  private push(samples: Float32Array): void {
    const { hopSamples, blockFrames } = this.options;
    const input = this.kernel.samples;
    const advance = blockFrames * hopSamples;
    let taken = Math.min(this.skip, samples.length);
    this.skip -= taken;
    while (taken < samples.length) {
      const count = Math.min(samples.length - taken, input.length - this.held);
      input.set(samples.subarray(taken, taken + count), this.held);
      taken += count;
      this.held += count;
      if (this.held < input.length) continue;
      this.runBlock(blockFrames);
      if (advance < this.held) {
        input.copyWithin(0, advance, this.held);
        this.held -= advance;
      } else {
        // A hop longer than the window leaves samples that no frame covers.
        const gap = Math.min(advance - this.held, samples.length - taken);
        this.skip = advance - this.held - gap;
        taken += gap;
        this.held = 0;
      }
    }
  }

  private runBlock(count: number): void {
    const { melBands, logOffset, log } = this.options;
    const { energies } = this.kernel;
    this.kernel.run(count);
    const from = this.frames * melBands;
    const length = count * melBands;
    if (from + length > this.output.length) {
      const grown = new Float32Array(Math.max(from + length, 2 * this.output.length));
      grown.set(this.output.subarray(0, from));
      this.output = grown;
    }
    const factor = LOG_FACTOR[log];
    for (let n = 0; n < length; n++) this.output[from + n] = factor * Math.log(energies[n] + logOffset);
    this.frames += count;
  }

  private view(): Float32Array {
    return this.output.subarray(0, this.frames * this.options.melBands);
  }
}
