import { framesPerSecond } from './config.js';
import { lowerBound, type Peaks } from './peaks.js';
import type { MatchRole } from './match.js';
import type { Alignment } from './query-raster.js';

/** Share of the query's loudest peaks that the reference must explain to be in the foreground. */
const foregroundShare = 0.5;
/** Least share of quiet stretches in what the reference does not explain, for speech: people pause, noise does not. */
const pauseShare = 0.22;
const tolerance = { frames: 2, pitch: 1 } as const;

/**
 * Says how the music stands in the mix: in front when the reference explains most of the query's loudest peaks, else
 * under speech when the rest comes and goes like speech, else in the background.
 */
export function roleOf(
  query: Peaks,
  reference: Peaks,
  line: Alignment,
  startFrame: number,
  endFrame: number,
): MatchRole {
  const { share, pauses } = explain(query, reference, line, startFrame, endFrame);
  if (share >= foregroundShare) return 'foreground';
  return pauses >= pauseShare ? 'under-speech' : 'background';
}

/** Evidence for the role: share of loud query peaks that the reference has, share of 0.2 s without foreign peaks. */
export function explain(
  query: Peaks,
  reference: Peaks,
  line: Alignment,
  startFrame: number,
  endFrame: number,
): { share: number; pauses: number } {
  const step = Math.round(framesPerSecond / 5);
  const foreign = new Uint16Array(Math.max(1, Math.ceil((endFrame - startFrame) / step)));
  let loud = 0;
  let explained = 0;
  const to = lowerBound(query.frames, endFrame);
  for (let i = lowerBound(query.frames, startFrame); i < to; i++) {
    if (query.ranks[i] >= 3) continue;
    loud++;
    if (hasPeak(reference, line.offset + line.speed * query.frames[i], query.pitches[i] - line.pitch))
      explained++;
    else foreign[Math.floor((query.frames[i] - startFrame) / step)]++;
  }
  let pauses = 0;
  for (const count of foreign) if (count === 0) pauses++;
  return { share: loud === 0 ? 0 : explained / loud, pauses: pauses / foreign.length };
}

function hasPeak(reference: Peaks, frame: number, pitch: number): boolean {
  for (
    let i = lowerBound(reference.frames, frame - tolerance.frames);
    i < reference.frames.length && reference.frames[i] <= frame + tolerance.frames;
    i++
  ) {
    if (Math.abs(reference.pitches[i] - pitch) <= tolerance.pitch) return true;
  }
  return false;
}
