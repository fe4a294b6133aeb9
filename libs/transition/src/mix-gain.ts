import type { Loudness } from '@earmark/analysis';

/** Largest difference of the two gains, dB: quiet openings of quiet records after a loud end ask for 16. */
const largestGainDb = 18;

/**
 * Gains that give both tracks the same loudness and keep the sum of the two, in an equal-power crossfade, under a ceiling.
 *
 * @param overlapping false if the tracks never sound together
 */
export function matchGains(
  from: Pick<Loudness, 'integratedLufs' | 'truePeakDbtp'>,
  to: Pick<Loudness, 'integratedLufs' | 'truePeakDbtp'>,
  overlapping: boolean,
  ceilingDbtp = -1,
): { fromDb: number; toDb: number } {
  const wanted = from.integratedLufs - to.integratedLufs;
  const toDb = Math.max(-largestGainDb, Math.min(largestGainDb, wanted));
  const a = 10 ** (from.truePeakDbtp / 20);
  const b = 10 ** ((to.truePeakDbtp + toDb) / 20);
  // The largest value of a cos(x) + b sin(x) is the root of the sum of squares.
  const peak = 20 * Math.log10(Math.max(1e-6, overlapping ? Math.hypot(a, b) : Math.max(a, b)));
  const excess = Math.max(0, peak - ceilingDbtp);
  return { fromDb: -excess, toDb: toDb - excess };
}
