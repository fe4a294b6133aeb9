import type { PairFeedback } from './transition-store.js';

/** Events that count as much as no opinion: one skip alone says little. */
const doubt = 10;
const largestBias = 0.6;

/**
 * What listeners add to the score of a pair, -0.6..0.6: the share by which completes outnumber skips, drawn towards 0 while
 * there are few. Twenty skips: -0.4.
 */
export function feedbackBias({ skips, completes }: PairFeedback): number {
  return (largestBias * (completes - skips)) / (completes + skips + doubt);
}
