import { FrameStream, GrowingFloats, hannPeriodic } from '../spectrum/frame-stream.js';
import { PowerSpectrum } from '../spectrum/power-spectrum.js';
import { analysisRateHz } from '../rhythm/onset-strength.js';
import { NoteSolver, noteCount, lowestNote } from './note-solver.js';

/** Chroma frames per second: frame `i` is centred on `i * 100` ms. */
export const chromaRateHz = 10;
/** Values of a chroma row: 12 pitch classes of all notes from C, then 12 of the bass (under MIDI note 55). */
export const chromaSize = 24;

const frameSamples = 8192;
const hopSamples = analysisRateHz / chromaRateHz;
const bassTop = 55;
const tuningBins = 50;
const tuningFrames = 150;
const partialLimit = 60;
const floorPower = 1e-9;

/** Chroma of a whole signal: `frames` rows of {@link chromaSize} values >= 0, and the tuning found. */
export type Chroma = Readonly<{ values: Float32Array; frames: number; tuningCents: number }>;

type Peaks = { count: number; notes: Float32Array; amplitudes: Float32Array };

/**
 * Streams mono PCM at 16 kHz into chroma: spectral peaks, whitened by their surroundings, are rounded to semitones of
 * the tuning estimated so far (the first 15 s wait for it) and explained as notes with harmonics by non-negative
 * least squares. Memory grows by 1 kB per second of sound.
 *
 * @see M. Mauch, S. Dixon, "Approximate note transcription for the improved identification of difficult chords", ISMIR 2010
 */
export class ChromaExtractor {
  private readonly frames: FrameStream;
  private readonly fft = new PowerSpectrum(frameSamples);
  private readonly window = hannPeriodic(frameSamples);
  private readonly windowed = new Float32Array(frameSamples);
  private readonly power = new Float32Array(frameSamples / 2 + 1);
  private readonly log = new Float32Array(frameSamples / 2 + 1);
  private readonly histogram = new Float64Array(tuningBins);
  private readonly waiting: Peaks[] = [];
  private readonly semitones = new Float32Array(noteCount);
  private readonly solver = new NoteSolver();
  private readonly row = new Float32Array(chromaSize);
  private readonly out = new GrowingFloats();
  private tuned = false;
  private tuning = 0;

  constructor() {
    this.frames = new FrameStream(frameSamples, hopSamples, (frame) => this.frame(frame));
  }

  /** Adds mono samples in -1..1 at 16 kHz. */
  push(samples: Float32Array): void {
    this.frames.push(samples);
  }

  /** Ends the stream and gives all rows. */
  finish(): Chroma {
    this.frames.flush();
    if (!this.tuned) this.release();
    return { values: this.out.view(), frames: this.out.length / chromaSize, tuningCents: this.tuning * 100 };
  }

  private frame(frame: Float32Array): void {
    for (let i = 0; i < frameSamples; i++) this.windowed[i] = frame[i] * this.window[i];
    this.fft.power(this.windowed, this.power);
    const peaks = this.peaks();
    for (let i = 0; i < peaks.count; i++) {
      const note = peaks.notes[i];
      const bin = Math.floor((note - Math.floor(note)) * tuningBins) % tuningBins;
      this.histogram[bin] += peaks.amplitudes[i];
    }
    if (this.tuned) {
      this.emit(peaks);
      return;
    }
    this.waiting.push(peaks);
    if (this.waiting.length === tuningFrames) this.release();
  }

  private release(): void {
    this.tuned = true;
    for (const peaks of this.waiting) this.emit(peaks);
    this.waiting.length = 0;
  }

  /** Finds the strongest local maxima between 50 Hz and 4 kHz: MIDI note numbers and whitened amplitudes. */
  private peaks(): Peaks {
    const { power, log } = this;
    const scale = (4 / frameSamples) ** 2;
    const low = Math.floor((50 * frameSamples) / analysisRateHz);
    const high = Math.floor((4_200 * frameSamples) / analysisRateHz);
    for (let k = low - 2; k <= high + 2; k++) log[k] = Math.log(power[k] * scale + floorPower);
    const found: number[] = [];
    for (let k = low; k < high; k++) {
      const c = log[k];
      if (c <= log[k - 1] || c < log[k + 1] || c < log[k - 2] || c < log[k + 2]) continue;
      if (c > Math.log(floorPower) + 3) found.push(k);
    }
    if (found.length > partialLimit) {
      found.sort((a, b) => log[b] - log[a]);
      found.length = partialLimit;
    }
    const peaks: Peaks = {
      count: found.length,
      notes: new Float32Array(found.length),
      amplitudes: new Float32Array(found.length),
    };
    let loudest = -Infinity;
    for (const k of found) if (log[k] > loudest) loudest = log[k]!;
    for (let i = 0; i < found.length; i++) {
      const k = found[i];
      const [a, b, c] = [log[k - 1], log[k], log[k + 1]];
      const shift = (0.5 * (a - c)) / (a - 2 * b + c || 1);
      const hz = ((k + shift) * analysisRateHz) / frameSamples;
      peaks.notes[i] = 69 + 12 * Math.log2(hz / 440);
      peaks.amplitudes[i] = Math.max(0, 1 + (b - loudest) / compression);
    }
    return peaks;
  }

  private emit(peaks: Peaks): void {
    this.tuning = circularMean(this.histogram);
    const { semitones, row } = this;
    semitones.fill(0);
    for (let i = 0; i < peaks.count; i++) {
      const note = peaks.notes[i] - this.tuning;
      const nearest = Math.round(note);
      const index = nearest - lowestNote;
      if (index < 0 || index >= noteCount) continue;
      const off = (note - nearest) * 2;
      const value = peaks.amplitudes[i] * (1 - off * off);
      if (value > semitones[index]) semitones[index] = value;
    }
    const notes = this.solver.solve(semitones);
    row.fill(0);
    for (let n = 0; n < noteCount; n++) {
      const pitchClass = (n + lowestNote) % 12;
      row[pitchClass] += notes[n];
      if (n + lowestNote < bassTop) row[12 + pitchClass] += notes[n];
    }
    this.out.append(row);
  }
}

/** Dynamic range of a frame's partials that counts, in nepers of power (about 52 dB). */
const compression = 12;

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
