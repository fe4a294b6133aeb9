import { NoteFilter } from './note-filter.js';
import { fadingNotes, keyNetworks, notePower } from './note-model.generated.js';
import { lowestNote, noteCount } from './semitone-spectrum.js';

/**
 * Weight of each note of a semitone spectrum in its pitch class: 1, but falling to both ends, so that what a transposition moves
 * out of the spectrum or into it counts little.
 */
export const noteWeights: Float64Array = Float64Array.from({ length: noteCount }, (_, n) => {
  const end = Math.min(1, (n + 1) / (fadingNotes.low + 1), (noteCount - n) / (fadingNotes.high + 1));
  return Math.sin((Math.PI / 2) * end) ** 2;
});

/** Adds up, over a recording, how long each note sounds, loud or soft, as each of the trained key networks hears it. */
export class KeyNotes {
  private readonly filters = keyNetworks.map((network) => new NoteFilter(network));
  private readonly sums = keyNetworks.map(() => new Float64Array(noteCount));
  private rows = 0;

  /** Adds a row of a semitone spectrum. */
  add(semitones: Float32Array): void {
    this.rows++;
    if (semitones.every((value) => value === 0)) return;
    for (let k = 0; k < this.filters.length; k++) {
      const notes = this.filters[k].hear(semitones);
      const sums = this.sums[k];
      for (let n = 0; n < noteCount; n++) sums[n] += notes[n];
    }
  }

  /**
   * How much the notes of each pitch class sound, from C, against their mean (0 = average): 12 values a network.
   * Empty when nothing has sounded.
   */
  histograms(): Float64Array[] {
    if (this.sums.every((sums) => sums.every((sum) => sum === 0))) return [];
    return this.sums.map((sums) => {
      const histogram = new Float64Array(12);
      for (let n = 0; n < noteCount; n++) {
        histogram[(n + lowestNote) % 12] += noteWeights[n] * (sums[n] / this.rows + 1e-6) ** notePower;
      }
      const mean = histogram.reduce((sum, value) => sum + value / 12, 0);
      return histogram.map((value) => (value / mean - 1) / notePower);
    });
  }
}
