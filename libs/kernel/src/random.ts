/** A source of numbers in [0, 1): seeded in tests and trainings, so that runs repeat. */
export interface Random {
  /** Next number, 0 <= x < 1. */
  next(): number;
}

/**
 * Makes a seeded generator (mulberry32: 32-bit state, period 2^32). Not for secrets.
 *
 * @param seed any integer; equal seeds give equal sequences
 */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return {
    next(): number {
      state = (state + 0x6d2b79f5) >>> 0;
      let t = state;
      t = Math.imul(t ^ (t >>> 15), t | 1);
      t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    },
  };
}
