import type { Chroma } from './chroma.js';
import type { KeyNetwork } from './note-model.generated.js';
import { keyNetworks } from './note-model.generated.js';

/** Pitch class names: ASCII, sharps and flats as they are usual for keys. */
export const pitchClassNames = ['C', 'C#', 'D', 'Eb', 'E', 'F', 'F#', 'G', 'Ab', 'A', 'Bb', 'B'] as const;
/** Name of a pitch class. */
export type PitchClassName = (typeof pitchClassNames)[number];
/** The two modes told apart. */
export type Mode = 'major' | 'minor';

/** A key; `strength` is its probability among the 24 keys, 0..1. */
export type Key = Readonly<{ tonic: PitchClassName; mode: Mode; strength: number }>;

/**
 * Estimates the key: the trained networks hear which notes sound; for each, the 24 keys share one profile a mode over the pitch
 * classes seen from the tonic, so that transposed music gives the transposed key, and the probabilities are averaged. The profiles
 * start from Krumhansl and Kessler's and were fitted, with the networks, to scores (training/beat).
 *
 * @returns absent when nothing tonal sounds
 * @see C. Krumhansl, "Cognitive Foundations of Musical Pitch", 1990
 */
export function estimateKey({ keyHistograms }: Pick<Chroma, 'keyHistograms'>): Key | undefined {
  if (keyHistograms.length === 0) return undefined;
  const scores = new Float64Array(24);
  for (const [k, histogram] of keyHistograms.entries()) {
    const logits = keyLogits(histogram, keyNetworks[k]);
    const top = Math.max(...logits);
    const total = logits.reduce((sum, logit) => sum + Math.exp(logit - top), 0);
    for (let i = 0; i < 24; i++) scores[i] += (logits[i] - top - Math.log(total)) / keyHistograms.length;
  }
  const best = scores.indexOf(Math.max(...scores));
  let total = 0;
  for (const score of scores) total += Math.exp(score - scores[best]);
  return { tonic: pitchClassNames[best % 12], mode: best < 12 ? 'major' : 'minor', strength: 1 / total };
}

function keyLogits(histogram: Float64Array, { profiles, profileBias }: KeyNetwork): Float64Array {
  const logits = new Float64Array(24);
  for (let mode = 0; mode < 2; mode++) {
    for (let tonic = 0; tonic < 12; tonic++) {
      let sum = profileBias[mode];
      for (let i = 0; i < 12; i++) sum += profiles[mode][i] * histogram[(i + tonic) % 12];
      logits[12 * mode + tonic] = sum;
    }
  }
  return logits;
}
