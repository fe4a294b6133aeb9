import { filterBias, filterWeights, joinWeights, placeBias } from './note-model.generated.js';
import { noteCount } from './semitone-spectrum.js';

const reach = (filterWeights[0].length - 1) / 2;
const filters = filterWeights.length;
/** Weights by distance of the note under the partial: `filters` values for each of -reach .. reach. */
const spread = Float64Array.from({ length: (2 * reach + 1) * filters }, (_, i) => {
  const [tap, filter] = [Math.floor(i / filters), i % filters];
  return filterWeights[filter][tap];
});

/**
 * Tells which notes sound in a semitone spectrum: every note looks at the partials three octaves either way through the same
 * trained filters, so that overtones and what lies under them are explained away. A frame costs 40,000 multiplications.
 */
export class NoteFilter {
  private readonly sums = new Float64Array(noteCount * filters);
  private readonly probabilities = new Float32Array(noteCount);

  /**
   * @param semitones a row of a semitone spectrum
   * @returns probability of each note, 0..1; the array is reused by the next call
   */
  hear(semitones: Float32Array): Float32Array {
    const { sums, probabilities } = this;
    for (let n = 0; n < noteCount; n++)
      for (let f = 0; f < filters; f++) sums[n * filters + f] = filterBias[f];
    for (let i = 0; i < noteCount; i++) {
      const value = semitones[i];
      if (value === 0) continue;
      const last = Math.min(noteCount - 1, i + reach);
      for (let n = Math.max(0, i - reach); n <= last; n++) {
        const tap = (i - n + reach) * filters;
        for (let f = 0; f < filters; f++) sums[n * filters + f] += value * spread[tap + f];
      }
    }
    for (let n = 0; n < noteCount; n++) {
      let logit = placeBias[n];
      for (let f = 0; f < filters; f++) logit += joinWeights[f] * Math.max(0, sums[n * filters + f]);
      probabilities[n] = 1 / (1 + Math.exp(-logit));
    }
    return probabilities;
  }
}
