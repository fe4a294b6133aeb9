import type { Chroma } from '../tonal/chroma.js';
import { chromaChange } from './beat-hypothesis.js';
import type { Novelty } from './novelty.js';

/** Places sampled in each beat: halves, thirds, quarters and sixths fall on one. */
export const patternPlaces = 12;
const ranges = 4;
/**
 * Values of one beat in a pattern: onset strength at {@link patternPlaces} places of 4 frequency ranges (place by place,
 * low to high), then change of harmony and of bass at the beat, then the same half-way to the next.
 */
export const patternSize = patternPlaces * ranges + 4;
/** Onset strength counts up to this, and is divided by it. */
const ceiling = 6;

/**
 * What sounds at a train of beats, seen beat by beat so that the tempo is gone: `beats.length` rows of
 * {@link patternSize} values, 0..1. This is what the beat network hears.
 *
 * @param beats frames, ascending, two or more
 */
export function beatPattern(beats: Float64Array, novelty: Novelty, chroma: Chroma): Float32Array {
  const n = beats.length;
  const out = new Float32Array(n * patternSize);
  for (let i = 0; i < n; i++) {
    const gap = i + 1 < n ? beats[i + 1] - beats[i] : beats[i] - beats[i - 1];
    const reach = Math.max(1, Math.min(4, gap / (2 * patternPlaces)));
    for (let place = 0; place < patternPlaces; place++) {
      const at = beats[i] + (gap * place) / patternPlaces;
      const from = Math.max(0, Math.round(at - reach));
      const to = Math.min(novelty.frames - 1, Math.round(at + reach));
      for (let range = 0; range < ranges; range++) {
        const values = novelty.bands[range];
        let top = 0;
        for (let frame = from; frame <= to; frame++) if (values[frame] > top) top = values[frame];
        out[i * patternSize + place * ranges + range] = Math.min(ceiling, top) / ceiling;
      }
    }
  }
  [
    chromaChange(chroma, beats, 0),
    chromaChange(chroma, beats, 0, 12),
    chromaChange(chroma, beats, 0.5),
    chromaChange(chroma, beats, 0.5, 12),
  ].forEach((changes, k) => {
    for (let i = 0; i < changes.length; i++) out[i * patternSize + patternPlaces * ranges + k] = changes[i];
  });
  return out;
}

/** Cycles of beats whose strength {@link patternSpectrum} tells. */
const cycles = [2, 3, 4, 8];
const blockBeats = 24;
/** Values of {@link patternSpectrum}. */
export const patternSpectrumSize = patternSize * (1 + cycles.length);

/**
 * What a pattern repeats, wherever its bars begin: the mean row, then for cycles of 2, 3, 4 and 8 beats the magnitude of
 * each column's Fourier coefficient, in blocks of 24 beats (or all, if there are fewer), averaged.
 *
 * @param pattern rows of {@link beatPattern}, one at least
 * @returns {@link patternSpectrumSize} values, 0..1
 */
export function patternSpectrum(pattern: Float32Array): Float32Array {
  const n = pattern.length / patternSize;
  const block = Math.min(blockBeats, n);
  const blocks = Math.floor(n / block);
  const out = new Float64Array(patternSpectrumSize);
  for (let i = 0; i < n; i++)
    for (let p = 0; p < patternSize; p++) out[p] += pattern[i * patternSize + p] / n;
  const re = new Float64Array(patternSize);
  const im = new Float64Array(patternSize);
  cycles.forEach((cycle, c) => {
    for (let k = 0; k < blocks; k++) {
      re.fill(0);
      im.fill(0);
      for (let b = 0; b < block; b++) {
        const angle = (2 * Math.PI * (b % cycle)) / cycle;
        const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
        const row = (k * block + b) * patternSize;
        for (let p = 0; p < patternSize; p++) {
          re[p] += cos * pattern[row + p];
          im[p] += sin * pattern[row + p];
        }
      }
      const at = (c + 1) * patternSize;
      for (let p = 0; p < patternSize; p++) out[at + p] += Math.hypot(re[p], im[p]) / block / blocks;
    }
  });
  return Float32Array.from(out);
}
