import { FrameStream, hannPeriodic } from '../spectrum/frame-stream.js';
import { HalfRate } from '../spectrum/half-rate.js';
import { PowerSpectrum } from '../spectrum/power-spectrum.js';

/** Lowest MIDI note of a semitone spectrum: E1, 41 Hz. */
export const lowestNote = 28;
/** Notes of a semitone spectrum: E1 to B7. */
export const noteCount = 80;
/** Semitone spectra per second: spectrum `i` is centred on `i * 100` ms. */
export const semitoneRateHz = 10;

const rateHz = 8_000;
const frameSamples = 4096;
const hopSamples = rateHz / semitoneRateHz;
const tuningBins = 50;
const tuningFrames = 150;
const partialLimit = 60;
const floorPower = 1e-9;
/** Dynamic range of a frame's partials that counts, in nepers of power (about 52 dB). */
const compression = 12;
const lowestBin = Math.floor((38 * frameSamples) / rateHz);
const highestBin = Math.floor((3_900 * frameSamples) / rateHz);
/** Least power of a partial: 13 dB above the floor. */
const leastPower = (floorPower * Math.exp(3)) / (4 / frameSamples) ** 2;

/** Partials of one frame: MIDI notes and amplitudes, the loudest 1. */
type Partials = { count: number; readonly notes: Float32Array; readonly amplitudes: Float32Array };

/**
 * Streams mono PCM at 16 kHz into semitone spectra: the strongest spectral peaks of 0.5 s, on a logarithmic scale of 52 dB
 * under the loudest (1), rounded to semitones of the tuning heard so far; the first 15 s wait for it. A frame costs two
 * passes over 2,000 bins and one FFT.
 */
export class SemitoneSpectrum {
  private readonly half = new HalfRate((samples) => this.frames.push(samples));
  private readonly frames = new FrameStream(frameSamples, hopSamples, (frame) => this.frame(frame));
  private readonly fft = new PowerSpectrum(frameSamples);
  private readonly window = hannPeriodic(frameSamples);
  private readonly windowed = new Float32Array(frameSamples);
  private readonly power = new Float32Array(frameSamples / 2 + 1);
  private readonly histogram = new Float64Array(tuningBins);
  private readonly found = new Int32Array(frameSamples / 4);
  private readonly waiting: Partials[] = [];
  private readonly current = newPartials();
  private readonly row = new Float32Array(noteCount);
  private tuned = false;
  private tuning = 0;

  /** @param onRow called once a spectrum with a view that is valid only during the call */
  constructor(private readonly onRow: (semitones: Float32Array) => void) {}

  /** Tuning against A4 = 440 Hz heard so far, semitones, -0.5..0.5. */
  get tuningSemitones(): number {
    return this.tuning;
  }

  /** Adds mono samples in -1..1 at 16 kHz. */
  push(samples: Float32Array): void {
    this.half.push(samples);
  }

  /** Ends the stream. */
  flush(): void {
    this.half.flush();
    this.frames.flush();
    if (!this.tuned) this.release();
  }

  private frame(frame: Float32Array): void {
    const { windowed, window, histogram } = this;
    for (let i = 0; i < frameSamples; i++) windowed[i] = frame[i] * window[i];
    this.fft.power(windowed, this.power);
    const partials = this.tuned ? this.current : newPartials();
    this.findPartials(partials);
    for (let i = 0; i < partials.count; i++) {
      const note = partials.notes[i];
      const bin = Math.floor((note - Math.floor(note)) * tuningBins) % tuningBins;
      histogram[bin] += partials.amplitudes[i];
    }
    if (this.tuned) {
      this.emit(partials);
      return;
    }
    this.waiting.push(partials);
    if (this.waiting.length === tuningFrames) this.release();
  }

  private release(): void {
    this.tuned = true;
    for (const partials of this.waiting) this.emit(partials);
    this.waiting.length = 0;
  }

  private findPartials(partials: Partials): void {
    const { power, found } = this;
    let count = 0;
    let loudest = 0;
    for (let k = lowestBin; k < highestBin; k++) {
      const c = power[k];
      if (c < leastPower || c <= power[k - 1] || c < power[k + 1]) continue;
      if (c < power[k - 2] || c < power[k + 2]) continue;
      found[count++] = k;
      if (c > loudest) loudest = c;
    }
    if (count > partialLimit) {
      const order = found.subarray(0, count).sort((a, b) => power[b] - power[a]);
      count = Math.min(order.length, partialLimit);
    }
    partials.count = count;
    for (let i = 0; i < count; i++) {
      const k = found[i];
      const [a, b, c] = [Math.log(power[k - 1] + 1e-30), Math.log(power[k]), Math.log(power[k + 1] + 1e-30)];
      const shift = (0.5 * (a - c)) / (a - 2 * b + c || 1);
      partials.notes[i] = 69 + 12 * Math.log2(((k + shift) * rateHz) / frameSamples / 440);
      partials.amplitudes[i] = Math.max(0, 1 + (b - Math.log(loudest)) / compression);
    }
  }

  private emit({ count, notes, amplitudes }: Partials): void {
    this.tuning = circularMean(this.histogram);
    const { row } = this;
    row.fill(0);
    for (let i = 0; i < count; i++) {
      const note = notes[i] - this.tuning;
      const nearest = Math.round(note);
      const index = nearest - lowestNote;
      if (index < 0 || index >= noteCount) continue;
      const off = (note - nearest) * 2;
      const value = amplitudes[i] * (1 - off * off);
      if (value > row[index]) row[index] = value;
    }
    this.onRow(row);
  }
}

function newPartials(): Partials {
  return { count: 0, notes: new Float32Array(partialLimit), amplitudes: new Float32Array(partialLimit) };
}

/** Mean of a histogram over one semitone, as an offset in -0.5..0.5 semitones. */
function circularMean(histogram: Float64Array): number {
  let re = 0;
  let im = 0;
  for (let i = 0; i < histogram.length; i++) {
    const angle = (2 * Math.PI * (i + 0.5)) / histogram.length;
    re += histogram[i] * Math.cos(angle);
    im += histogram[i] * Math.sin(angle);
  }
  return re === 0 && im === 0 ? 0 : Math.atan2(im, re) / (2 * Math.PI);
}
