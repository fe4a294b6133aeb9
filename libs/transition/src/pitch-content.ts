import { PowerSpectrum, hannPeriodic } from '@earmark/analysis';
import type { Side } from './side.js';

/** Values of a chroma. */
export const chromaSize = 12;
/** Semitones of the relief: five octaves from C2. */
export const pitchSize = 60;

const rateHz = 16_000;
const fftSize = 4096;
const hop = 2048;
const lowestNote = 36;
const reliefReach = 6;

/** Pitch classes and semitones of a window; one instance serves any number of windows. */
export class PitchContent {
  private readonly fft = new PowerSpectrum(fftSize);
  private readonly taper = hannPeriodic(fftSize);
  private readonly frame = new Float32Array(fftSize);
  private readonly power = new Float32Array(fftSize / 2 + 1);

  /**
   * @param samples at 16 kHz; less than a frame is filled with zeros
   * @param harmony receives chroma, its change, chroma of the bass and of the seam, relief of the semitones
   * @param seam receives chroma and relief of the part nearest to the border
   */
  describe(
    samples: Float32Array,
    side: Side,
    { seamSeconds, nearSeconds }: Readonly<{ seamSeconds: number; nearSeconds: number }>,
    harmony: Float32Array,
    seam: Float32Array,
  ): void {
    const { frame, power, taper, fft } = this;
    const chroma = new Float64Array(chromaSize);
    const [sum, change, bass, late, previous] = Array.from({ length: 5 }, () => new Float64Array(chromaSize));
    const [notes, nearNotes] = [new Float64Array(pitchSize), new Float64Array(pitchSize)];
    const nearChroma = new Float64Array(chromaSize);
    const starts = frameStarts(samples.length, side);
    starts.forEach((start, order) => {
      for (let i = 0; i < fftSize; i++) frame[i] = (samples[start + i] ?? 0) * taper[i];
      fft.power(frame, power);
      const distance = (order * hop + fftSize / 2) / rateHz;
      const inSeam = distance < seamSeconds;
      const isNear = distance < nearSeconds || order < 2;
      chroma.fill(0);
      for (const { bin, pitchClass, note, weight, low } of pitchBins) {
        const value = weight * Math.sqrt(power[bin]);
        chroma[pitchClass] += value;
        if (low) bass[pitchClass] += value;
        if (note < 0) continue;
        notes[note] += value;
        if (isNear) nearNotes[note] += value;
      }
      let norm = 1e-9;
      for (const value of chroma) norm += value;
      for (let p = 0; p < chromaSize; p++) {
        const share = chroma[p] / norm;
        sum[p] += chroma[p];
        if (order > 0) change[p] += Math.abs(share - previous[p]);
        previous[p] = share;
        if (inSeam) late[p] += chroma[p];
        if (isNear) nearChroma[p] += chroma[p];
      }
    });
    writeUnit(sum, harmony, 0);
    for (let p = 0; p < chromaSize; p++) harmony[chromaSize + p] = (10 * change[p]) / starts.length;
    writeUnit(bass, harmony, 2 * chromaSize);
    writeUnit(late, harmony, 3 * chromaSize);
    writeRelief(notes, harmony, 4 * chromaSize);
    writeUnit(nearChroma, seam, 0);
    writeRelief(nearNotes, seam, chromaSize);
  }
}

/** Starts of the frames, the one nearest to the border first. */
function frameStarts(length: number, side: Side): number[] {
  const count = Math.max(1, 1 + Math.floor((length - fftSize) / hop));
  return Array.from({ length: count }, (_, i) =>
    side === 'head' ? i * hop : Math.max(0, length - fftSize - i * hop),
  );
}

function writeUnit(values: Float64Array, out: Float32Array, at: number): void {
  let norm = 1e-9;
  for (const value of values) norm += value * value;
  for (let i = 0; i < values.length; i++) out[at + i] = values[i] / Math.sqrt(norm);
}

/** Levels of the semitones over their surroundings of an octave: what an equaliser leaves. */
function writeRelief(notes: Float64Array, out: Float32Array, at: number): void {
  let most = 1e-9;
  for (const value of notes) most = Math.max(most, value);
  const levels = notes.map((value) => Math.log(value / most + 1e-3));
  for (let i = 0; i < pitchSize; i++) {
    const [from, to] = [Math.max(0, i - reliefReach), Math.min(pitchSize, i + reliefReach + 1)];
    let mean = 0;
    for (let k = from; k < to; k++) mean += levels[k] / (to - from);
    out[at + i] = levels[i] - mean;
  }
}

/** Bins between 60 Hz and 2.2 kHz with their pitch class, semitone of the relief (-1: none) and closeness to its centre. */
const pitchBins = Array.from({ length: fftSize / 2 }, (_, bin) => {
  const hz = (bin * rateHz) / fftSize;
  const place = 69 + 12 * Math.log2(Math.max(hz, 1) / 440);
  const nearest = Math.round(place);
  const note = nearest - lowestNote;
  return {
    bin,
    hz,
    pitchClass: ((nearest % 12) + 12) % 12,
    note: note >= 0 && note < pitchSize ? note : -1,
    weight: Math.exp(-(((place - nearest) / 0.25) ** 2)),
    low: hz < 260,
  };
}).filter(({ hz }) => hz > 60 && hz < 2_200);
