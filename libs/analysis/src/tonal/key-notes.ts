import { NoteFilter } from './note-filter.js';
import { fadingNotes, keyNetworks } from './note-model.generated.js';
import { lowestNote, noteCount } from './semitone-spectrum.js';

/** Values of a row of key notes: 12 pitch classes from C for each network. */
export const keyNotesSize: number = 12 * keyNetworks.length;

/**
 * Weight of each note of a semitone spectrum in its pitch class: 1, but falling to both ends, so that what a transposition moves
 * out of the spectrum or into it counts little.
 */
export const noteWeights: Float64Array = Float64Array.from({ length: noteCount }, (_, n) => {
  const end = Math.min(1, (n + 1) / (fadingNotes.low + 1), (noteCount - n) / (fadingNotes.high + 1));
  return Math.sin((Math.PI / 2) * end) ** 2;
});

const pitchClasses = Uint8Array.from({ length: noteCount }, (_, n) => (n + lowestNote) % 12);

/** Tells how many notes of each pitch class sound, loud or soft, as each of the trained key networks hears it. */
export class KeyNotes {
  private readonly filters = keyNetworks.map((network) => new NoteFilter(network));
  private readonly row = new Float32Array(keyNotesSize);

  /**
   * @param semitones a row of a semitone spectrum
   * @returns {@link keyNotesSize} values >= 0, all 0 in silence; the array is reused by the next call
   */
  hear(semitones: Float32Array): Float32Array {
    const { row, filters } = this;
    row.fill(0);
    if (semitones.every((value) => value === 0)) return row;
    for (let k = 0; k < filters.length; k++) {
      const notes = filters[k].hear(semitones);
      for (let n = 0; n < noteCount; n++) row[12 * k + pitchClasses[n]] += noteWeights[n] * notes[n];
    }
    return row;
  }
}
