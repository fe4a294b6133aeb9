import type { KeyNetwork } from './note-model.generated.js';
import { noteCount } from './semitone-spectrum.js';

/**
 * Tells which notes sound in a semitone spectrum: every note looks at the partials three octaves either way through the same
 * trained filters, so that overtones and what lies under them are explained away, and transposed music gives the same notes
 * transposed. A frame costs about 5,000 multiplications a filter.
 */
export class NoteFilter {
  private readonly filters: number;
  private readonly reach: number;
  /** Weights by distance of the note over the partial: one value a filter for each of -reach .. reach. */
  private readonly spread: Float64Array;
  private readonly sums: Float64Array;
  private readonly probabilities = new Float32Array(noteCount);

  constructor(private readonly network: KeyNetwork) {
    this.filters = network.filters.length;
    const taps = network.filters[0].length;
    this.reach = (taps - 1) / 2;
    this.spread = Float64Array.from(
      { length: taps * this.filters },
      (_, i) => network.filters[i % this.filters][taps - 1 - Math.floor(i / this.filters)],
    );
    this.sums = new Float64Array(noteCount * this.filters);
  }

  /**
   * @param semitones a row of a semitone spectrum
   * @returns probability of each note, 0..1; the array is reused by the next call
   */
  hear(semitones: Float32Array): Float32Array {
    const { sums, probabilities, filters, reach, spread } = this;
    const { filterBias, join, noteBias } = this.network;
    for (let n = 0; n < noteCount; n++)
      for (let f = 0; f < filters; f++) sums[n * filters + f] = filterBias[f];
    for (let i = 0; i < noteCount; i++) {
      const value = semitones[i];
      if (value === 0) continue;
      const first = Math.max(0, i - reach) * filters;
      const end = (Math.min(noteCount - 1, i + reach) + 1) * filters;
      const shift = (reach - i) * filters;
      for (let k = first; k < end; k++) sums[k] += value * spread[k + shift];
    }
    for (let n = 0; n < noteCount; n++) {
      let logit = noteBias;
      for (let f = 0; f < filters; f++) logit += join[f] * Math.max(0, sums[n * filters + f]);
      probabilities[n] = 1 / (1 + Math.exp(-logit));
    }
    return probabilities;
  }
}
