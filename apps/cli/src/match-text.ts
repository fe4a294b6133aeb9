import type { Match } from '@earmark/monitoring';
import { clockText } from './output.js';

/** One match as a line for people: where in the query, where in the track, how it sounds and how sure. */
export function matchText(match: Match): string {
  const query = `${clockText(match.queryStartMs)}-${clockText(match.queryEndMs)}`;
  const reference = `${clockText(match.referenceStartMs)}-${clockText(match.referenceEndMs)}`;
  const name = match.title ?? match.path ?? match.trackId;
  const pitch = Math.round(match.pitchCents);
  return [
    query.padEnd(12),
    name.padEnd(40),
    `at ${reference}`.padEnd(16),
    match.role.padEnd(13),
    `speed ${match.speedRatio.toFixed(3)}`,
    `pitch ${pitch > 0 ? '+' : ''}${pitch} ct`.padEnd(13),
    `p ${match.probability.toFixed(3)}`,
  ].join('  ');
}
