import { lowerBound, type Peaks } from './peaks.js';
import type { MatchRole } from './match.js';
import type { Alignment } from './query-raster.js';

/** Ranks of the query's peaks that speak for the role: the loudest three a band and second. */
const loudRanks = 3;
/** Length of a piece in which foreign peaks are counted together, frames (0.14 s). */
const pieceFrames = 6;
const tolerance = { frames: 2, pitch: 1 } as const;
/** Rule fitted on 480 clips (alone, under speech, in noise) by test/quality/fingerprint; see docs/evaluation. */
const rule = { foreground: 0.375, burstiness: 0.04, speech: 4.1 } as const;

/** What speaks for the role of a stretch. */
export type RoleEvidence = Readonly<{
  /** Share of the query's loud peaks that the reference explains. */
  share: number;
  /** How much the others come in bursts: syllables start in all bands at once, noise does not. Mean size of a burst. */
  burstiness: number;
}>;

/**
 * Says how the music stands in the mix: in front when the reference explains most of the query's loud peaks, else under
 * speech when the others come in bursts, else in the background.
 */
export function roleOf(
  query: Peaks,
  reference: Peaks,
  line: Alignment,
  startFrame: number,
  endFrame: number,
): MatchRole {
  const { share, burstiness } = roleEvidence(query, reference, line, startFrame, endFrame);
  if (share - rule.burstiness * burstiness >= rule.foreground) return 'foreground';
  return burstiness >= rule.speech ? 'under-speech' : 'background';
}

/** Measures what {@link roleOf} decides on, between two frames of the query. */
export function roleEvidence(
  query: Peaks,
  reference: Peaks,
  line: Alignment,
  startFrame: number,
  endFrame: number,
): RoleEvidence {
  const foreign = new Uint16Array(Math.max(1, Math.ceil((endFrame - startFrame) / pieceFrames)));
  let loud = 0;
  let explained = 0;
  const to = lowerBound(query.frames, endFrame);
  for (let i = lowerBound(query.frames, startFrame); i < to; i++) {
    if (query.ranks[i] >= loudRanks) continue;
    loud++;
    if (hasPeak(reference, line.offset + line.speed * query.frames[i], query.pitches[i] - line.pitch))
      explained++;
    else foreign[Math.floor((query.frames[i] - startFrame) / pieceFrames)]++;
  }
  let squares = 0;
  for (const count of foreign) squares += count * count;
  return {
    share: loud === 0 ? 0 : explained / loud,
    burstiness: loud === explained ? 0 : squares / (loud - explained),
  };
}

function hasPeak(reference: Peaks, frame: number, pitch: number): boolean {
  const { frames, pitches } = reference;
  const latest = frame + tolerance.frames;
  for (let i = lowerBound(frames, frame - tolerance.frames); i < frames.length && frames[i] <= latest; i++) {
    if (Math.abs(pitches[i] - pitch) <= tolerance.pitch) return true;
  }
  return false;
}
