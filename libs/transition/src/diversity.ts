import { similarity } from './rank.js';

/** One answer to choose from: its score and its search vector of unit length. */
export type Choice = Readonly<{ score: number; vector: Float32Array; artists: readonly string[] }>;

const sameArtist = 0.5;

/**
 * Chooses answers that are good and not all alike: each next one has the highest score less `weight` times its likeness to
 * the most alike one chosen before (cosine, 0..1, and half of what is missing for a shared artist). The best one stays
 * first; equal values keep their order.
 *
 * @param weight 0: by score alone; 1: likeness counts as much as score
 * @returns indices of at most `k` choices
 * @see J. Carbonell, J. Goldstein, "The use of MMR, diversity-based reranking ...", SIGIR 1998
 */
export function chooseDiverse(choices: readonly Choice[], k: number, weight: number): number[] {
  const gains = Float64Array.from(choices, ({ score }) => score);
  const likeness = new Float64Array(choices.length);
  const compared = new Uint32Array(choices.length);
  const chosen: number[] = [];
  while (chosen.length < Math.min(k, choices.length)) {
    let best = 0;
    for (let i = 1; i < gains.length; i++) if (gains[i] > gains[best]) best = i;
    // Likeness only grows, so that one compared with too few still stands too high: most need never be compared.
    if (weight > 0 && compared[best] < chosen.length) {
      for (; compared[best] < chosen.length; compared[best]++)
        likeness[best] = Math.max(likeness[best], alike(choices[chosen[compared[best]]], choices[best]));
      gains[best] = choices[best].score - weight * likeness[best];
      continue;
    }
    chosen.push(best);
    gains[best] = -Infinity;
  }
  return chosen;
}

function alike(a: Choice, b: Choice): number {
  const cosine = Math.max(0, Math.min(1, similarity(a.vector, b.vector)));
  return a.artists.some((artist) => b.artists.includes(artist)) ? cosine + sameArtist * (1 - cosine) : cosine;
}
