import { noteCount } from './semitone-spectrum.js';

const harmonics = 8;
const decay = 0.7;
const iterations = 12;
const sparsity = 0.08;

/**
 * Explains a semitone spectrum as a sum of notes, each with {@link harmonics} partials that fall off geometrically, by
 * multiplicative updates of non-negative least squares with a small L1 penalty.
 *
 * @see D. Lee, H. Seung, "Algorithms for non-negative matrix factorization", NIPS 2000
 */
export class NoteSolver {
  private readonly offsets: Int32Array;
  private readonly weights: Float32Array;
  private readonly notes = new Float32Array(noteCount);
  private readonly numerator = new Float32Array(noteCount);
  private readonly model = new Float32Array(noteCount);

  constructor() {
    this.offsets = new Int32Array(harmonics);
    this.weights = new Float32Array(harmonics);
    for (let h = 0; h < harmonics; h++) {
      this.offsets[h] = Math.round(12 * Math.log2(h + 1));
      this.weights[h] = decay ** h;
    }
  }

  /**
   * @param spectrum amplitude of each semitone from the lowest, {@link noteCount} values >= 0
   * @returns strength of each note, >= 0; the array is reused by the next call
   */
  solve(spectrum: Float32Array): Float32Array {
    const { notes, numerator, model, offsets, weights } = this;
    for (let n = 0; n < noteCount; n++) {
      let sum = 0;
      for (let h = 0; h < harmonics; h++) {
        const at = n + offsets[h];
        if (at < noteCount) sum += weights[h] * spectrum[at];
      }
      numerator[n] = sum;
      notes[n] = spectrum[n]!;
    }
    for (let i = 0; i < iterations; i++) {
      model.fill(0);
      for (let n = 0; n < noteCount; n++) {
        const strength = notes[n];
        if (strength < 1e-6) continue;
        for (let h = 0; h < harmonics; h++) {
          const at = n + offsets[h];
          if (at < noteCount) model[at] += strength * weights[h];
        }
      }
      for (let n = 0; n < noteCount; n++) {
        if (notes[n] < 1e-6) continue;
        let sum = sparsity;
        for (let h = 0; h < harmonics; h++) {
          const at = n + offsets[h];
          if (at < noteCount) sum += weights[h] * model[at];
        }
        notes[n] *= numerator[n] / sum;
      }
    }
    return notes;
  }
}
