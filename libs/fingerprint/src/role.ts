import { binOfPitch } from './landmark-cells.js';
import type { MatchRole } from './match.js';
import { lowerBound, type Peaks } from './peaks.js';
import type { Alignment } from './query-raster.js';
import { steadinessOf } from './tone-steadiness.js';

/** Ranks of the query's peaks that are loud: the first three a band and second. */
const loudRanks = 3;
/** Length of a piece whose loudest peak stands for its level, frames (0.14 s). */
const pieceFrames = 6;
const tolerance = { frames: 2, pitch: 1 } as const;
/** Bins between partials of a voice (65 to 300 Hz) and how equal two distances are. */
const voice = { least: 6, most: 28, equal: 1.5 } as const;
/** Bin under which a peak is low (1.5 kHz). */
const lowBin = 140;
/** Level of nothing, dB. */
const silentDb = -100;

/** What speaks for the role of a stretch; "foreign" are the query's peaks that the reference does not have. */
export type RoleEvidence = Readonly<{
  /** Share of the query's loud peaks, and of all, that the reference explains. */
  loudShare: number;
  share: number;
  /** Standard deviation of the foreign level over pieces, dB: speech pauses, noise does not. */
  liveliness: number;
  /** Foreign level over the explained one, dB. */
  foreignGain: number;
  /** Share of neighbouring foreign peaks that are as far apart as their neighbours: partials of a voice. */
  harmonicity: number;
  /** Share of foreign tones that keep their pitch; those of a voice glide. */
  steadiness: number;
  /** Share of the loud foreign peaks below 1.5 kHz. */
  low: number;
}>;

/** Linear rule (softmax regression) fitted on 279 clips by test/quality/fingerprint; see docs/evaluation/fingerprint.md. */
const rules: Readonly<Record<MatchRole, Readonly<{ bias: number } & RoleEvidence>>> = {
  foreground: {
    bias: -3.5912,
    loudShare: 3.9025,
    share: -1.2296,
    liveliness: 0.3697,
    foreignGain: -0.1607,
    harmonicity: -17.2748,
    steadiness: 4.6278,
    low: -1.1256,
  },
  background: {
    bias: 11.2053,
    loudShare: -1.1051,
    share: -4.5369,
    liveliness: -0.5929,
    foreignGain: 0.0954,
    harmonicity: -22.2548,
    steadiness: -5.4879,
    low: -3.5631,
  },
  'under-speech': {
    bias: -7.6141,
    loudShare: -2.7974,
    share: 5.7665,
    liveliness: 0.2232,
    foreignGain: 0.0653,
    harmonicity: 39.5296,
    steadiness: 0.8601,
    low: 4.6887,
  },
};

/** Says how the music stands in the mix: in front, under speech or in the background of noise. */
export function roleOf(
  query: Peaks,
  reference: Peaks,
  line: Alignment,
  startFrame: number,
  endFrame: number,
): MatchRole {
  const evidence = roleEvidence(query, reference, line, startFrame, endFrame);
  let best: MatchRole = 'foreground';
  for (const role of ['background', 'under-speech'] as const)
    if (logitOf(role, evidence) > logitOf(best, evidence)) best = role;
  return best;
}

function logitOf(role: MatchRole, evidence: RoleEvidence): number {
  const rule = rules[role];
  return (
    rule.bias +
    rule.loudShare * evidence.loudShare +
    rule.share * evidence.share +
    rule.liveliness * evidence.liveliness +
    rule.foreignGain * evidence.foreignGain +
    rule.harmonicity * evidence.harmonicity +
    rule.steadiness * evidence.steadiness +
    rule.low * evidence.low
  );
}

/** Measures what {@link roleOf} decides on, between two frames of the query. */
export function roleEvidence(
  query: Peaks,
  reference: Peaks,
  line: Alignment,
  startFrame: number,
  endFrame: number,
): RoleEvidence {
  const from = lowerBound(query.frames, startFrame);
  const to = lowerBound(query.frames, endFrame);
  const pieces = Math.max(1, Math.floor((endFrame - startFrame) / pieceFrames) + 1);
  const foreignLevels = new Float32Array(pieces).fill(-Infinity);
  const explainedLevels = new Float32Array(pieces).fill(-Infinity);
  const frames: number[] = [];
  const bins: number[] = [];
  let loud = 0;
  let loudExplained = 0;
  let low = 0;
  for (let i = from; i < to; i++) {
    const explained = hasPeak(
      reference,
      line.offset + line.speed * query.frames[i],
      query.pitches[i] - line.pitch,
    );
    const levels = explained ? explainedLevels : foreignLevels;
    const piece = Math.floor((query.frames[i] - startFrame) / pieceFrames);
    levels[piece] = Math.max(levels[piece], query.levels[i]);
    const bin = binOfPitch(query.pitches[i]);
    if (!explained) {
      frames.push(query.frames[i]);
      bins.push(bin);
    }
    if (query.ranks[i] >= loudRanks) continue;
    loud++;
    if (explained) loudExplained++;
    else if (bin < lowBin) low++;
  }
  const foreign = spreadOf(foreignLevels);
  return {
    loudShare: loud === 0 ? 0 : loudExplained / loud,
    share: to === from ? 0 : 1 - frames.length / (to - from),
    liveliness: foreign.deviation,
    foreignGain: foreign.mean - spreadOf(explainedLevels).mean,
    harmonicity: harmonicityOf(frames, bins),
    steadiness: steadinessOf(frames, bins),
    low: loud === loudExplained ? 0 : low / (loud - loudExplained),
  };
}

/** Mean and standard deviation of the pieces that have a level. */
function spreadOf(levels: Float32Array): { mean: number; deviation: number } {
  const heard = levels.filter((level) => level > -Infinity);
  if (heard.length === 0) return { mean: silentDb, deviation: 0 };
  const mean = heard.reduce((sum, level) => sum + level, 0) / heard.length;
  const square = heard.reduce((sum, level) => sum + (level - mean) ** 2, 0);
  return { mean, deviation: heard.length > 5 ? Math.sqrt(square / heard.length) : 0 };
}

/** Of the distances between neighbouring tones of a moment, the share that equals the next one and may be a voice's. */
function harmonicityOf(frames: readonly number[], bins: readonly number[]): number {
  let equal = 0;
  let all = 0;
  for (let i = 0; i < frames.length;) {
    const moment = Math.round(frames[i]);
    const tones: number[] = [];
    let next = i;
    for (let j = i; j < frames.length && Math.round(frames[j]) <= moment + 1; j++) {
      tones.push(bins[j]);
      if (Math.round(frames[j]) === moment) next = j + 1;
    }
    tones.sort((a, b) => a - b);
    for (let k = 2; k < tones.length; k++) {
      const gap = tones[k] - tones[k - 1];
      all++;
      if (Math.abs(gap - tones[k - 1] + tones[k - 2]) < voice.equal && gap > voice.least && gap < voice.most)
        equal++;
    }
    i = next;
  }
  return all === 0 ? 0 : equal / all;
}

function hasPeak(reference: Peaks, frame: number, pitch: number): boolean {
  const { frames, pitches } = reference;
  const latest = frame + tolerance.frames;
  for (let i = lowerBound(frames, frame - tolerance.frames); i < frames.length && frames[i] <= latest; i++) {
    if (Math.abs(pitches[i] - pitch) <= tolerance.pitch) return true;
  }
  return false;
}
