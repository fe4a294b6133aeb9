import { GrowingFloats } from '../spectrum/frame-stream.js';
import { KeyNotes } from './key-notes.js';
import { NoteSolver } from './note-solver.js';
import { lowestNote, noteCount, semitoneRateHz, SemitoneSpectrum } from './semitone-spectrum.js';

/** Chroma frames per second: frame `i` is centred on `i * 100` ms. */
export const chromaRateHz = semitoneRateHz;
/** Values of a chroma row: 12 pitch classes of all notes from C, then 12 of the bass (under MIDI note 55). */
export const chromaSize = 24;

const bassTop = 55;

/** Chroma of a whole signal, `frames` rows of {@link chromaSize} values >= 0 each, and the tuning found. */
export type Chroma = Readonly<{
  /** How strong the pitch classes are. */
  values: Float32Array;
  /** Pitch classes as the trained {@link KeyNotes} hear them, in every second frame; empty when nothing sounds. */
  keyHistograms: readonly Float64Array[];
  frames: number;
  tuningCents: number;
}>;

/**
 * Streams mono PCM at 16 kHz into chroma: semitone spectra are explained as notes with harmonics by non-negative least
 * squares, and as notes that sound by trained networks. Memory grows by 1 kB per second of sound.
 *
 * @see M. Mauch, S. Dixon, "Approximate note transcription for the improved identification of difficult chords", ISMIR 2010
 */
export class ChromaExtractor {
  private readonly spectrum = new SemitoneSpectrum((semitones) => this.emit(semitones));
  private readonly solver = new NoteSolver();
  private readonly keyNotes = new KeyNotes();
  private readonly row = new Float32Array(chromaSize);
  private readonly out = new GrowingFloats();
  private frames = 0;

  /** Adds mono samples in -1..1 at 16 kHz. */
  push(samples: Float32Array): void {
    this.spectrum.push(samples);
  }

  /** Ends the stream and gives all rows. */
  finish(): Chroma {
    this.spectrum.flush();
    return {
      values: this.out.view(),
      keyHistograms: this.keyNotes.histograms(),
      frames: this.out.length / chromaSize,
      tuningCents: this.spectrum.tuningSemitones * 100,
    };
  }

  private emit(semitones: Float32Array): void {
    this.out.append(this.fold(this.solver.solve(semitones)));
    if (this.frames++ % 2 === 0) this.keyNotes.add(semitones);
  }

  /** Sums notes by pitch class: all of them, then the bass. */
  private fold(notes: Float32Array): Float32Array {
    const { row } = this;
    row.fill(0);
    for (let n = 0; n < noteCount; n++) {
      const pitchClass = (n + lowestNote) % 12;
      row[pitchClass] += notes[n];
      if (n + lowestNote < bassTop) row[12 + pitchClass] += notes[n];
    }
    return row;
  }
}
