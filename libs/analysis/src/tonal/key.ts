import type { Chroma } from './chroma.js';
import { chromaSize } from './chroma.js';
import { keyBias, keyProfiles } from './note-model.generated.js';

/** Pitch class names: ASCII, sharps and flats as they are usual for keys. */
export const pitchClassNames = ['C', 'C#', 'D', 'Eb', 'E', 'F', 'F#', 'G', 'Ab', 'A', 'Bb', 'B'] as const;
/** Name of a pitch class. */
export type PitchClassName = (typeof pitchClassNames)[number];
/** The two modes told apart. */
export type Mode = 'major' | 'minor';

/** A key; `strength` is its probability among the 24 keys, 0..1. */
export type Key = Readonly<{ tonic: PitchClassName; mode: Mode; strength: number }>;

/**
 * Estimates the key of the rows `first` .. `last - 1`: the 24 keys share one profile a mode over the pitch classes of all
 * notes and of the bass, seen from the tonic, so that transposed music gives the transposed key. The profiles start from
 * Krumhansl and Kessler's and were fitted (training/beat) to scores' note durations.
 *
 * @returns absent when nothing tonal sounds
 * @see C. Krumhansl, "Cognitive Foundations of Musical Pitch", 1990
 */
export function estimateKey(chroma: Chroma, first = 0, last = chroma.frames): Key | undefined {
  const histogram = keyHistogram(chroma, first, last);
  if (histogram === undefined) return undefined;
  const scores = new Float64Array(24);
  for (let mode = 0; mode < 2; mode++) {
    const profile = keyProfiles[mode];
    for (let tonic = 0; tonic < 12; tonic++) {
      let sum = keyBias[mode];
      for (let i = 0; i < 12; i++) {
        const pitchClass = (i + tonic) % 12;
        sum += profile[i] * histogram[pitchClass] + profile[12 + i] * histogram[12 + pitchClass];
      }
      scores[12 * mode + tonic] = sum;
    }
  }
  const best = scores.indexOf(Math.max(...scores));
  let total = 0;
  for (const score of scores) total += Math.exp(score - scores[best]);
  return { tonic: pitchClassNames[best % 12], mode: best < 12 ? 'major' : 'minor', strength: 1 / total };
}

/**
 * Notes that sound in rows, by pitch class: 12 values of all notes, then 12 of the bass, each dozen relative to its mean
 * (0 = average). Absent when nothing tonal sounds.
 */
export function keyHistogram(chroma: Chroma, first = 0, last = chroma.frames): Float64Array | undefined {
  const histogram = new Float64Array(chromaSize);
  for (let f = first; f < last; f++) {
    for (let i = 0; i < chromaSize; i++) histogram[i] += chroma.notes[f * chromaSize + i];
  }
  for (let half = 0; half < 2; half++) {
    let mean = 0;
    for (let i = 0; i < 12; i++) mean += histogram[12 * half + i] / 12;
    if (half === 0 && mean <= 1e-6) return undefined;
    for (let i = 0; i < 12; i++) {
      histogram[12 * half + i] = mean > 1e-6 ? histogram[12 * half + i] / mean - 1 : 0;
    }
  }
  return histogram;
}
