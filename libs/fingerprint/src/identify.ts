import { framesToMs } from './config.js';
import { centsPerStep } from './candidate.js';
import type { Decision } from './decision.js';
import { relationOf, type Match, type MatchRelation } from './match.js';
import { missingPeaks } from './missing-peaks.js';
import type { Peaks } from './peaks.js';
import { roleOf } from './role.js';
import { ReferenceCache, search, type SearchSources } from './search.js';

/** What a caller may choose. */
export type IdentifyOptions = Readonly<{
  /** Probability from which a match is answered; default as calibrated for what was heard. */
  leastProbability?: number;
}>;

/**
 * Identifies one clip: the whole query is one stretch of one track, or nothing.
 *
 * @param peaks of the clip at query density, at most about 60 s
 * @returns best match first; empty when nothing is certain enough
 */
export async function identify(
  peaks: Peaks,
  sources: SearchSources,
  options: IdentifyOptions = {},
): Promise<readonly Match[]> {
  const references = sources.references ?? new ReferenceCache(sources.peaks);
  const { decision } = await search(peaks, sources.index, references);
  if (!decision) return [];
  const { leastProbability } = options;
  if (leastProbability === undefined ? !decision.answered : decision.probability < leastProbability)
    return [];
  const track = await sources.peaks.peaksOf(decision.place.trackId);
  const reference = await references.get(decision.place.trackId);
  if (!track || !reference) return [];
  const relation = relationOf(decision.place.line, missingPeaks(peaks, reference, decision.place.line));
  return [matchOf(decision, peaks, track, relation)];
}

/** Dresses a decision about the whole query as a match, cut to where the track exists. */
function matchOf(decision: Decision, query: Peaks, track: Peaks, relation: MatchRelation): Match {
  const { place, score, probability, alternatives } = decision;
  const { offset, speed, pitch } = place.line;
  const start = Math.max(0, -offset / speed);
  const end = Math.max(start, Math.min(query.lengthFrames, (track.lengthFrames - offset) / speed));
  return {
    trackId: place.trackId,
    queryStartMs: framesToMs(start),
    queryEndMs: framesToMs(end),
    referenceStartMs: framesToMs(Math.max(0, offset + speed * start)),
    referenceEndMs: framesToMs(offset + speed * end),
    score,
    probability,
    speedRatio: speed,
    pitchCents: pitch * centsPerStep,
    role: roleOf(query, track, place.line, start, end),
    relation,
    ...(alternatives.length > 0 && {
      alternatives: alternatives.map((other) => ({
        trackId: other.trackId,
        probability: probability * Math.min(1, other.line.z / place.line.z),
      })),
    }),
  };
}
