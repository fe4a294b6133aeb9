import type { Timbre } from '../rhythm/onset-strength.js';
import { timbreRateHz, timbreSize } from '../rhythm/onset-strength.js';
import type { Section } from './sections.js';

/**
 * A place to enter (`in`) or to leave (`out`) a track, integer milliseconds; `strength` 0..1 says how natural it is:
 * the first sound and the last bar before the end or fade 1, borders of sections less.
 */
export type CuePoint = Readonly<{ kind: 'in' | 'out'; atMs: number; strength: number }>;

const silentBelow = 0.15;
const fadeBelow = 0.45;

/**
 * Lists entry and exit points: where the sound starts and ends, and the borders of sections, moved to the nearest
 * downbeat within half a second.
 */
export function findCues(
  sections: readonly Section[],
  downbeatSeconds: readonly number[],
  durationSeconds: number,
  timbre: Timbre,
): CuePoint[] {
  const loudness = levels(timbre);
  const first = loudness.findIndex((v) => v > silentBelow);
  if (first < 0) return [];
  const start = first / timbreRateHz;
  const lastLoud = loudness.findLastIndex((v) => v > fadeBelow);
  const end = Math.min(durationSeconds, (lastLoud + 1) / timbreRateHz);
  const cues: CuePoint[] = [cue('in', snap(start, downbeatSeconds), 1)];
  for (const section of sections.slice(1)) {
    const at = section.startSeconds;
    if (at - start > 4 && durationSeconds - at > 20) cues.push(cue('in', snap(at, downbeatSeconds), 0.6));
    if (at - start > 20 && end - at > 2) cues.push(cue('out', snap(at, downbeatSeconds), 0.6));
  }
  cues.push(cue('out', snap(end, downbeatSeconds), 1));
  return cues.sort((a, b) => a.atMs - b.atMs);
}

function cue(kind: 'in' | 'out', seconds: number, strength: number): CuePoint {
  return { kind, atMs: Math.max(0, Math.round(seconds * 1000)), strength };
}

function snap(seconds: number, downbeats: readonly number[]): number {
  let best = seconds;
  for (const t of downbeats) {
    if (Math.abs(t - seconds) < 0.5 && (best === seconds || Math.abs(t - seconds) < Math.abs(best - seconds)))
      best = t;
  }
  return best;
}

/** Level of each timbre row between the floor (0) and the loudest tenth of rows (1). */
function levels(timbre: Timbre): Float64Array {
  const out = new Float64Array(timbre.frames);
  for (let f = 0; f < timbre.frames; f++) {
    for (let i = 0; i < timbreSize; i++) out[f] += (timbre.values[f * timbreSize + i] + 4) / timbreSize;
  }
  const loud = Float64Array.from(out).sort()[Math.floor(out.length * 0.9)] ?? 0;
  if (loud <= 0.02) return out.fill(0);
  return out.map((v) => Math.max(0, v / loud));
}
