import { BandLevels, levelBandHz, levelBands } from '../spectrum/band-levels.js';
import { GrowingFloats } from '../spectrum/frame-stream.js';

/** Sample rate of the mono signal that beat, key and structure analysis read, Hz. */
export const analysisRateHz = 16_000;
/** Onset frames per second: frame `i` is centred on `i * 10` ms. */
export const onsetRateHz = 100;
/** Frequency ranges of the onset strength, lower edges in Hz; the last range ends at 7,600 Hz. */
export const onsetBandEdgesHz: readonly number[] = [27.5, 150, 600, 2_500];

const lagFrames = 2;

/** Onset strength of a whole signal: `frames` rows of one value a range of {@link onsetBandEdgesHz}, >= 0. */
export type OnsetStrength = Readonly<{ values: Float32Array; frames: number; bands: number }>;

/** Timbre rows per second. */
export const timbreRateHz = 10;
/** Values of a timbre row: groups of neighbouring bands from low to high. */
export const timbreSize = 18;
/** Mean level of band groups over 100 ms: `frames` rows of {@link timbreSize} values, log10 of amplitude. */
export type Timbre = Readonly<{ values: Float32Array; frames: number }>;

/** Everything that one pass of {@link OnsetExtractor} gives. */
export type Onsets = Readonly<{ onsets: OnsetStrength; timbre: Timbre }>;

/**
 * Streams mono PCM at {@link analysisRateHz} into onset strength: the rise of the log-amplitude in mel bands, against
 * the maximum of the neighbouring bands two frames before, so that vibrato does not count as an onset.
 * Memory grows by 2.3 kB per second of sound.
 *
 * @see S. Böck, G. Widmer, "Maximum filter vibrato suppression for onset detection", DAFx 2013
 */
export class OnsetExtractor {
  private readonly levels = new BandLevels((levels) => this.row(levels));
  private readonly past: Float32Array[] = [];
  private readonly out = new GrowingFloats();
  private readonly onsetRow = new Float32Array(onsetBandEdgesHz.length);
  private readonly timbreRow = new Float32Array(timbreSize);
  private readonly timbreOut = new GrowingFloats();
  private rows = 0;

  /** Adds mono samples in -1..1 at {@link analysisRateHz}. */
  push(samples: Float32Array): void {
    this.levels.push(samples);
  }

  /** Ends the stream and gives all rows. */
  finish(): Onsets {
    this.levels.flush();
    const bands = this.onsetRow.length;
    const timbre = this.timbreOut.view();
    return {
      onsets: { values: this.out.view(), frames: this.out.length / bands, bands },
      timbre: { values: timbre, frames: timbre.length / timbreSize },
    };
  }

  private row(levels: Float32Array): void {
    const { past, onsetRow, timbreRow } = this;
    const own = past.length > lagFrames ? past.shift()! : new Float32Array(levelBands);
    own.set(levels);
    onsetRow.fill(0);
    const before = past.length === lagFrames ? past[0] : undefined;
    for (let b = 0; b < levelBands; b++) {
      const level = levels[b];
      timbreRow[((b * timbreSize) / levelBands) | 0] += level;
      if (before === undefined) continue;
      let reference = before[b];
      if (b > 0 && before[b - 1] > reference) reference = before[b - 1];
      if (b + 1 < levelBands && before[b + 1] > reference) reference = before[b + 1];
      if (level > reference) onsetRow[ranges[b]] += level - reference;
    }
    for (let r = 0; r < onsetRow.length; r++) onsetRow[r] *= Math.LOG10E / rangeSizes[r];
    this.out.append(onsetRow);
    past.push(own);
    this.rows++;
    if (this.rows % (onsetRateHz / timbreRateHz) === 0) this.endTimbre();
  }

  private endTimbre(): void {
    const { timbreRow } = this;
    const scale = (Math.LOG10E * timbreSize) / levelBands / (onsetRateHz / timbreRateHz);
    for (let g = 0; g < timbreSize; g++) timbreRow[g] *= scale;
    this.timbreOut.append(timbreRow);
    timbreRow.fill(0);
  }
}

/** Range of each band. */
const ranges = Uint8Array.from(levelBandHz, (hz) => {
  let range = 0;
  while (range + 1 < onsetBandEdgesHz.length && hz >= onsetBandEdgesHz[range + 1]) range++;
  return range;
});

const rangeSizes = onsetBandEdgesHz.map((_, range) => ranges.filter((r) => r === range).length);
