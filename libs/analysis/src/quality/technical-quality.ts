import { hannPeriodic } from '../spectrum/frame-stream.js';
import { PowerSpectrum } from '../spectrum/power-spectrum.js';

/**
 * Technical quality of a recording: share of samples inside clipped runs (0..1), the frequency up to which there is
 * sound (Hz), the level of its quietest passages (dBFS, -120 for digital silence), the mean of the waveform (0..1,
 * absolute) and whether two channels carry the same signal.
 */
export type TechnicalQuality = Readonly<{
  clippedShare: number;
  bandwidthHz: number;
  noiseFloorDbfs: number;
  dcOffset: number;
  dualMono: boolean;
}>;

const fftSize = 2048;
const spectraPerSecond = 4;
const clipLevel = 0.985;
const shortestRun = 3;
const levelBins = 121;

/** Measures {@link TechnicalQuality} from a stream of one or two channels at their own rate; constant memory. */
export class QualityMeter {
  private readonly fft = new PowerSpectrum(fftSize);
  private readonly window = hannPeriodic(fftSize);
  private readonly frame = new Float32Array(fftSize);
  private readonly power = new Float32Array(fftSize / 2 + 1);
  private readonly spectrum = new Float64Array(fftSize / 2 + 1);
  private readonly levels = new Float64Array(levelBins);
  private readonly runs: Int32Array;
  private filled = 0;
  private waiting = 0;
  private clipped = 0;
  private samples = 0;
  private sum = 0;
  private difference = 0;
  private stepEnergy = 0;
  private stepSamples = 0;

  constructor(
    private readonly sampleRateHz: number,
    channels: number,
  ) {
    this.runs = new Int32Array(channels);
  }

  /** Adds a block: one array a channel, all of one length. */
  push(channels: readonly Float32Array[]): void {
    for (let c = 0; c < channels.length; c++) this.countClipping(channels[c], c);
    const left = channels[0];
    const right = channels[1] ?? left;
    const step = Math.round(this.sampleRateHz / 10);
    for (let i = 0; i < left.length; i++) {
      const mid = 0.5 * (left[i] + right[i]);
      this.sum += mid;
      this.stepEnergy += mid * mid;
      const side = left[i] - right[i];
      if (side > this.difference) this.difference = side;
      else if (-side > this.difference) this.difference = -side;
      if (++this.stepSamples === step) this.endStep();
      if (this.waiting > 0) {
        this.waiting--;
        continue;
      }
      this.frame[this.filled++] = mid;
      if (this.filled === fftSize) this.addSpectrum();
    }
    this.samples += left.length;
  }

  /** Ends the stream. */
  finish(): TechnicalQuality {
    const total = this.samples * this.runs.length;
    return {
      clippedShare: total > 0 ? this.clipped / total : 0,
      bandwidthHz: this.bandwidth(),
      noiseFloorDbfs: this.noiseFloor(),
      dcOffset: this.samples > 0 ? Math.abs(this.sum / this.samples) : 0,
      dualMono: this.runs.length === 2 && this.difference < 1e-4,
    };
  }

  private countClipping(samples: Float32Array, channel: number): void {
    let run = this.runs[channel];
    for (let i = 0; i < samples.length; i++) {
      if (samples[i] >= clipLevel || samples[i] <= -clipLevel) {
        run++;
        if (run === shortestRun) this.clipped += shortestRun;
        else if (run > shortestRun) this.clipped++;
      } else {
        run = 0;
      }
    }
    this.runs[channel] = run;
  }

  private endStep(): void {
    const db = 10 * Math.log10(this.stepEnergy / this.stepSamples + 1e-12);
    this.levels[Math.min(levelBins - 1, Math.max(0, Math.round(-db)))]++;
    this.stepEnergy = 0;
    this.stepSamples = 0;
  }

  private addSpectrum(): void {
    for (let i = 0; i < fftSize; i++) this.frame[i] *= this.window[i];
    this.fft.power(this.frame, this.power);
    for (let k = 0; k < this.power.length; k++) this.spectrum[k] += this.power[k];
    this.filled = 0;
    this.waiting = Math.max(0, Math.round(this.sampleRateHz / spectraPerSecond) - fftSize);
  }

  /** Highest frequency whose surroundings (about 350 Hz) are within 75 dB of the loudest. */
  private bandwidth(): number {
    const width = Math.max(1, Math.round((350 * fftSize) / this.sampleRateHz));
    const means: number[] = [];
    for (let k = 0; k + width <= this.spectrum.length; k += width) {
      let sum = 0;
      for (let i = k; i < k + width; i++) sum += this.spectrum[i] / width;
      means.push(sum);
    }
    const top = Math.max(...means);
    if (!(top > 0)) return 0;
    let last = means.length - 1;
    while (last > 0 && means[last] < top * 10 ** -7.5) last--;
    return Math.min(this.sampleRateHz / 2, ((last + 1) * width * this.sampleRateHz) / fftSize);
  }

  /** Level under which 5 % of the 100 ms steps lie. */
  private noiseFloor(): number {
    const total = this.levels.reduce((a, b) => a + b, 0);
    let below = 0;
    for (let bin = levelBins - 1; bin >= 0; bin--) {
      below += this.levels[bin];
      if (below > 0.05 * total) return -bin;
    }
    return 1 - levelBins;
  }
}
