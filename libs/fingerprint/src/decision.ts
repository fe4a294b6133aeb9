import type { TrackId } from '@earmark/kernel';
import { decisionModel, spectralDecisionModel, type DecisionModel } from './decision-model.js';
import { QueryRaster, type ReferencePeaks } from './query-raster.js';
import { strengthOf, type Place } from './place.js';

/** What the places of one query amount to. */
export type Decision = Readonly<{
  place: Place;
  /** Standard deviations by which the place is ahead of what other tracks reach by chance. */
  score: number;
  /** Calibrated probability that the place is right. */
  probability: number;
  /** The probability is high enough for what it was computed from. */
  answered: boolean;
  /** No deeper search can make it much surer. */
  certain: boolean;
  /** What the probability was computed from. */
  evidence: Evidence;
  /** Other tracks that hold the same audio there, best first. */
  alternatives: readonly Place[];
}>;

/** Gives a track's prepared peaks. */
export interface ReferenceLookup {
  get(trackId: TrackId): Promise<ReferencePeaks | undefined>;
}

/** What the probability is computed from. */
export type Evidence = Readonly<{
  /** Agreement of the best place. */
  z: number;
  /** Agreement of the best place of an unrelated track: what chance gives for this query. */
  rivalZ: number;
  votes: number;
  /** Reference peaks inside the query. */
  expected: number;
  /** Share of them that the query has. */
  share: number;
  /** The line is at exactly nominal speed and pitch. */
  nominal: boolean;
  /** Standard deviations by which the place is ahead of the same track's other places. */
  contrast: number;
  /** Agreement with the query's spectrogram, when it was asked; `z` and `rivalZ` then include it. */
  spectral?: number;
  /** Share of the near coincidences that are exact; only with `spectral`. */
  sharpness?: number;
  /**
   * Steadiness of the query's tones that the track does not have, times the share of the track that the query does not
   * have: high when the query is other music, low under voices and noise. Only with `spectral`.
   */
  foreign?: number;
}>;

/**
 * Decides whether the best place is a true one. The places of other tracks are the null model: a query in which drum
 * loops match everything has strong rivals. Tracks that hold the same audio are no rivals but alternatives.
 *
 * @param places verified places, strongest first; the spectrogram was asked about all or none
 * @param contrast how far the best place is ahead of the same track's others, see {@link ShiftProfile}
 * @param steadiness of the tones that the best place does not explain, when the spectrogram was asked
 */
export async function decide(
  raster: QueryRaster,
  places: readonly Place[],
  contrast: number,
  references: ReferenceLookup,
  steadiness = 0,
): Promise<Decision | undefined> {
  const best = places[0];
  if (!best) return undefined;
  const rivals = bestPerTrack(places).filter((place) => place.trackId !== best.trackId);
  const alternatives: Place[] = [];
  const strength = strengthOf(best);
  let rivalZ: number = modelFor(best).leastRivalZ;
  for (const [i, rival] of rivals.entries()) {
    if (
      i < mostCompared &&
      rival.line.z > Math.max(4, 0.3 * best.line.z) &&
      (await shareAudio(raster, best, rival, references))
    )
      alternatives.push(rival);
    else rivalZ = Math.max(rivalZ, strengthOf(rival));
  }
  const { expected, share, sharpness, speed, pitch } = best.line;
  const evidence = {
    z: strength,
    rivalZ,
    votes: best.votes,
    expected,
    share,
    nominal: speed === 1 && pitch === 0,
    contrast,
    ...(best.spectral !== undefined && {
      spectral: best.spectral,
      sharpness,
      foreign: steadiness * (1 - share),
    }),
  };
  const probability = probabilityOf(evidence);
  const answered = isAnswered(evidence, probability);
  const { certain, certainShare } = modelFor(evidence);
  return {
    place: best,
    score: scoreOf(evidence),
    probability,
    answered,
    certain: answered && probability >= certain && share >= certainShare,
    evidence,
    alternatives,
  };
}

/** Rivals that are compared with the best place for shared audio. */
const mostCompared = 6;
/** Agreement of two references from which they hold the same audio. */
const sharedAgreement = { z: 7, share: 0.35 } as const;

/** Single number that orders answers: how far the place is ahead of chance. */
export function scoreOf(evidence: Evidence): number {
  const model = modelFor(evidence);
  return evidence.z - evidence.rivalZ + model.votes * Math.min(evidence.votes, model.mostVotes);
}

/** Whether a probability suffices for an answer, given what it was computed from. */
export function isAnswered(evidence: Evidence, probability: number): boolean {
  const { answer, answerFaint, faint } = modelFor(evidence);
  return probability >= ((evidence.spectral ?? Infinity) < faint ? answerFaint : answer);
}

/** The constants for evidence with or without the spectrogram's say. */
function modelFor({ spectral }: Readonly<{ spectral?: number }>): DecisionModel {
  return spectral === undefined ? decisionModel : spectralDecisionModel;
}

/** Calibrated probability of the evidence, by the logistic model that test/quality/fingerprint fits. */
export function probabilityOf(evidence: Evidence): number {
  const model = modelFor(evidence);
  const logit =
    model.intercept +
    model.score * Math.min(model.mostScore, scoreOf(evidence)) +
    model.z * Math.min(model.mostZ, evidence.z) +
    model.size * Math.log(evidence.expected + 1) +
    model.nominal * (evidence.nominal ? 1 : 0) +
    model.share * Math.max(0, evidence.share - model.leastShare) +
    model.contrast * Math.min(model.mostContrast, evidence.contrast) +
    model.clear * Math.max(0, Math.min(model.mostClear, evidence.spectral ?? 0) - model.leastClear) +
    model.sharpness * (evidence.sharpness ?? 0) +
    model.foreign * (evidence.foreign ?? 0);
  return 1 / (1 + Math.exp(-logit));
}

/** The best place of each track, best first. */
function bestPerTrack(places: readonly Place[]): readonly Place[] {
  const seen = new Set<TrackId>();
  return places.filter((place) => !seen.has(place.trackId) && seen.add(place.trackId));
}

/** Whether two places name the same audio: their references agree with each other there. */
async function shareAudio(
  raster: QueryRaster,
  a: Place,
  b: Place,
  references: ReferenceLookup,
): Promise<boolean> {
  const [first, second] = [await references.get(a.trackId), await references.get(b.trackId)];
  if (!first || !second) return false;
  const between = QueryRaster.ofReference(first, a.line.offset, a.line.speed * raster.lengthFrames);
  const agreement = between.agreement(second, {
    offset: b.line.offset,
    speed: b.line.speed / a.line.speed,
    pitch: b.line.pitch - a.line.pitch,
  });
  return agreement.z > sharedAgreement.z && agreement.share > sharedAgreement.share;
}
