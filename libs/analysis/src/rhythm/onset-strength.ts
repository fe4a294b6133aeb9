import { FrameStream, GrowingFloats, hannPeriodic } from '../spectrum/frame-stream.js';
import { PowerSpectrum } from '../spectrum/power-spectrum.js';

/** Sample rate of the mono signal that beat, key and structure analysis read, Hz. */
export const analysisRateHz = 16_000;
/** Onset frames per second: frame `i` is centred on `i * 10` ms. */
export const onsetRateHz = 100;
/** Frequency ranges of the onset strength, lower edges in Hz; the last range ends at 7,600 Hz. */
export const onsetBandEdgesHz: readonly number[] = [27.5, 150, 600, 2_500];

const frameSamples = 1024;
const hopSamples = analysisRateHz / onsetRateHz;
const topHz = 7_600;
const bandsPerOctave = 24;
const lagFrames = 2;
/** Amplitude under which nothing counts: about -80 dB below a full-scale sine in one bin. */
const floorAmplitude = 1e-4;

/** Onset strength of a whole signal: `frames` rows of one value a range of {@link onsetBandEdgesHz}, >= 0. */
export type OnsetStrength = Readonly<{ values: Float32Array; frames: number; bands: number }>;

/** Timbre rows per second. */
export const timbreRateHz = 10;
/** Values of a timbre row: groups of neighbouring bands from low to high. */
export const timbreSize = 16;
/** Mean level of band groups over 100 ms: `frames` rows of {@link timbreSize} values, log10 of amplitude, -4 or more. */
export type Timbre = Readonly<{ values: Float32Array; frames: number }>;

/**
 * Streams mono PCM at {@link analysisRateHz} into onset strength: the rise of the log-amplitude in log-spaced bands,
 * against the maximum of the neighbouring bands two frames before, so that vibrato does not count as an onset.
 * Memory grows by 1.6 kB per second of sound.
 *
 * @see S. Böck, G. Widmer, "Maximum filter vibrato suppression for onset detection", DAFx 2013
 */
export class OnsetExtractor {
  private readonly frames: FrameStream;
  private readonly fft = new PowerSpectrum(frameSamples);
  private readonly window = hannPeriodic(frameSamples);
  private readonly windowed = new Float32Array(frameSamples);
  private readonly power = new Float32Array(frameSamples / 2 + 1);
  private readonly filters = logFilters();
  private readonly past: Float32Array[] = [];
  private readonly row = new Float32Array(onsetBandEdgesHz.length);
  private readonly out = new GrowingFloats();
  private readonly timbreRow = new Float32Array(timbreSize);
  private readonly timbreOut = new GrowingFloats();
  private timbreCount = 0;

  constructor() {
    this.frames = new FrameStream(frameSamples, hopSamples, (frame) => this.frame(frame));
  }

  /** Adds mono samples in -1..1 at {@link analysisRateHz}. */
  push(samples: Float32Array): void {
    this.frames.push(samples);
  }

  /** Ends the stream and gives all rows. */
  finish(): Readonly<{ onsets: OnsetStrength; timbre: Timbre }> {
    this.frames.flush();
    const bands = this.row.length;
    const timbre = this.timbreOut.view();
    return {
      onsets: { values: this.out.view(), frames: this.out.length / bands, bands },
      timbre: { values: timbre, frames: timbre.length / timbreSize },
    };
  }

  private frame(frame: Float32Array): void {
    const { windowed, window, power, filters, past, row } = this;
    for (let i = 0; i < frameSamples; i++) windowed[i] = frame[i] * window[i];
    this.fft.power(windowed, power);
    const level = past.length > lagFrames ? past.shift()! : new Float32Array(filters.length);
    const scale = 4 / frameSamples;
    for (let b = 0; b < filters.length; b++) {
      const filter = filters[b];
      let sum = 0;
      for (let k = 0; k < filter.weights.length; k++) {
        sum += filter.weights[k] * Math.sqrt(power[filter.start + k]);
      }
      level[b] = Math.log10(sum * scale + floorAmplitude);
    }
    this.addTimbre(level);
    row.fill(0);
    const before = past[0];
    if (before !== undefined && past.length === lagFrames) {
      for (let b = 0; b < filters.length; b++) {
        let reference = before[b];
        if (b > 0 && before[b - 1] > reference) reference = before[b - 1]!;
        if (b + 1 < filters.length && before[b + 1] > reference) reference = before[b + 1]!;
        const rise = level[b] - reference;
        if (rise > 0) row[filters[b].range] += rise;
      }
      for (let r = 0; r < row.length; r++) row[r] /= rangeSizes[r];
    }
    this.out.append(row);
    past.push(level);
  }

  private addTimbre(level: Float32Array): void {
    const { timbreRow } = this;
    const perGroup = level.length / timbreSize;
    const perRow = onsetRateHz / timbreRateHz;
    for (let b = 0; b < level.length; b++) {
      timbreRow[timbreGroup(b, level.length)] += level[b] / perGroup / perRow;
    }
    if (++this.timbreCount < perRow) return;
    this.timbreOut.append(timbreRow);
    timbreRow.fill(0);
    this.timbreCount = 0;
  }
}

/** Group of each filter in a timbre row. */
function timbreGroup(filter: number, filters: number): number {
  return Math.floor((filter * timbreSize) / filters);
}

type Filter = Readonly<{ start: number; weights: Float32Array; range: number }>;

function logFilters(): Filter[] {
  const binHz = analysisRateHz / frameSamples;
  const edges: number[] = [];
  for (let i = 0; ; i++) {
    const hz = onsetBandEdgesHz[0] * 2 ** (i / bandsPerOctave);
    if (hz > topHz) break;
    const bin = Math.round(hz / binHz);
    if (edges[edges.length - 1] !== bin) edges.push(bin);
  }
  const filters: Filter[] = [];
  for (let i = 1; i + 1 < edges.length; i++) {
    const [low, centre, high] = [edges[i - 1], edges[i], edges[i + 1]];
    const weights = new Float32Array(high - low - 1);
    let total = 0;
    for (let k = low + 1; k < high; k++) {
      const w = k <= centre ? (k - low) / (centre - low) : (high - k) / (high - centre);
      weights[k - low - 1] = w;
      total += w;
    }
    for (let k = 0; k < weights.length; k++) weights[k] /= total;
    const hz = centre * binHz;
    let range = 0;
    while (range + 1 < onsetBandEdgesHz.length && hz >= onsetBandEdgesHz[range + 1]) range++;
    filters.push({ start: low + 1, weights, range });
  }
  return filters;
}

const rangeSizes = onsetBandEdgesHz.map((_, range) => logFilters().filter((f) => f.range === range).length);
