import type { TrackAnalysis } from '@earmark/analysis';
import type { Side } from './side.js';
import { shortestWindowMs } from './window-features.js';

/**
 * A place where a track can be left (`tail`: the window before it counts) or entered (`head`: the window after it),
 * integer milliseconds; `strength` 0..1 says how natural it is.
 */
export type Seam = Readonly<{ side: Side; atMs: number; strength: number }>;

const mostHeads = 6;
const mostTails = 8;
/** A head needs this much music after it, a tail this much before it. */
const leastMusicMs = 12_000;
/** Tails on downbeats between the natural ways out, so that there is one near any place asked for. */
const tailStepMs = 30_000;
const filledStrength = 0.2;

/**
 * Chooses entry and exit points: the cues of the analysis, strongest first, then downbeats about every 30 s as further
 * exits. There is always one head and one tail.
 *
 * @returns heads, then tails, each in order of time
 */
export function chooseSeams(analysis: Pick<TrackAnalysis, 'durationMs' | 'cues' | 'downbeatsMs'>): Seam[] {
  const { durationMs, cues, downbeatsMs } = analysis;
  const wide = Math.min(leastMusicMs, durationMs / 2);
  const heads: Seam[] = [];
  const tails: Seam[] = [];
  const add = (list: Seam[], seam: Seam, most: number): void => {
    if (list.length < most && list.every(({ atMs }) => Math.abs(atMs - seam.atMs) >= 2_000)) list.push(seam);
  };
  for (const { kind, atMs, strength } of [...cues].sort(
    (a, b) => b.strength - a.strength || a.atMs - b.atMs,
  )) {
    if (kind === 'in' && durationMs - atMs >= wide) add(heads, { side: 'head', atMs, strength }, mostHeads);
    if (kind === 'out' && atMs >= wide) add(tails, { side: 'tail', atMs, strength }, mostTails);
  }
  if (heads.length === 0) heads.push({ side: 'head', atMs: 0, strength: 1 });
  if (tails.length === 0) tails.push({ side: 'tail', atMs: durationMs, strength: 1 });
  for (let wanted = tailStepMs; wanted < durationMs - tailStepMs / 2; wanted += tailStepMs) {
    const atMs = nearest(downbeatsMs, wanted) ?? wanted;
    if (tails.every((tail) => Math.abs(tail.atMs - atMs) >= tailStepMs / 2)) {
      add(tails, { side: 'tail', atMs, strength: filledStrength }, 2 * mostTails);
    }
  }
  const inTime = (a: Seam, b: Seam): number => a.atMs - b.atMs;
  return [...heads.sort(inTime), ...tails.sort(inTime)];
}

/**
 * The window that describes a seam: `lengthMs` before a tail, after a head, shortened at the ends of the track but never
 * below the shortest window that can be described.
 */
export function seamWindow(
  { side, atMs }: Pick<Seam, 'side' | 'atMs'>,
  durationMs: number,
  lengthMs: number,
): { startMs: number; endMs: number } {
  const startMs = side === 'tail' ? Math.max(0, atMs - lengthMs) : atMs;
  const endMs = side === 'tail' ? atMs : Math.min(durationMs, atMs + lengthMs);
  if (endMs - startMs >= shortestWindowMs) return { startMs, endMs };
  return side === 'tail'
    ? { startMs: 0, endMs: Math.min(durationMs, shortestWindowMs) }
    : { startMs: Math.max(0, durationMs - shortestWindowMs), endMs: durationMs };
}

function nearest(sorted: readonly number[], wanted: number): number | undefined {
  return sorted.reduce<number | undefined>(
    (best, t) => (best === undefined || Math.abs(t - wanted) < Math.abs(best - wanted) ? t : best),
    undefined,
  );
}
