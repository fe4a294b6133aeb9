import type { CuePoint, Key, Loudness } from '@earmark/analysis';
import { pitchClassNames } from '@earmark/analysis';

/** What a plan needs to know of a track: a part of its analysis. Times are milliseconds. */
export type MixTrack = Readonly<{
  durationMs: number;
  tempoBpm?: number;
  tempoConfidence: number;
  beatsMs: readonly number[];
  downbeatsMs: readonly number[];
  key?: Key;
  loudness: Loudness;
  cues: readonly CuePoint[];
}>;

/** How two tracks are joined, from the most to the least blended. */
export type MixType = 'beatmix' | 'fade' | 'cut' | 'gap';

/**
 * A plan: at `cueOutMs` of the first track the second starts at `cueInMs`; both sound for `overlapMs` of playing time.
 * Tempo ratios are playing speeds (1.05: 5 % faster), gains hold for the whole transition.
 */
export type MixPlan = Readonly<{
  type: MixType;
  cueOutMs: number;
  cueInMs: number;
  overlapMs: number;
  overlapBeats: number;
  fromTempoRatio: number;
  toTempoRatio: number;
  fromGainDb: number;
  toGainDb: number;
  /** Playing time at which low frequencies change from the first to the second track, ms after `cueOutMs`. */
  bassSwapMs: number;
}>;

/** Limits of the caller. */
export type MixLimits = Readonly<{
  /** Most of the end of the first track that may be lost, ms. Default 30,000. */
  maxCutMs?: number;
  /** Largest change of speed, share. Default 0.06. */
  maxTempoShift?: number;
  /** Start of the overlap chosen by the caller, ms. */
  cueOutMs?: number;
  /** Highest true peak of the sum, dBTP. Default -1. */
  peakCeilingDbtp?: number;
}>;

const sureTempo = 0.35;
const fadeMs = 4_000;
const largestGainDb = 12;
const beatChoices = [32, 16, 8, 4] as const;

/**
 * Plans the transition from one track to the next. Beats are matched where both tempos are sure and meet within the limit
 * (an octave apart counts as equal); else the ends are faded into each other, cut on a downbeat, or played one after the other.
 */
export function planMix(from: MixTrack, to: MixTrack, limits: MixLimits = {}): MixPlan {
  return (
    beatMix(from, to, limits) ?? fade(from, to, limits) ?? cut(from, to, limits) ?? gap(from, to, limits)
  );
}

/**
 * Speeds at which two tempos meet: the second track alone is changed if that suffices, else both share the change evenly.
 *
 * @param maxShift largest change of one track, share
 * @returns absent if they cannot meet within the limit
 */
export function tempoRatios(
  fromBpm: number,
  toBpm: number,
  maxShift: number,
): { from: number; to: number } | undefined {
  let best: number | undefined;
  for (const octave of [1, 2, 0.5]) {
    const ratio = fromBpm / (toBpm * octave);
    if (best === undefined || Math.abs(Math.log(ratio)) < Math.abs(Math.log(best))) best = ratio;
  }
  if (best === undefined || !(best > 0)) return undefined;
  if (within(best, maxShift)) return { from: 1, to: best };
  const half = Math.sqrt(best);
  return within(half, maxShift) && within(1 / half, maxShift) ? { from: 1 / half, to: half } : undefined;
}

/**
 * Gains that give both tracks the same loudness and keep the sum of the two, in an equal-power crossfade, under a ceiling.
 *
 * @param overlapping false if the tracks never sound together
 */
export function matchGains(
  from: Loudness,
  to: Loudness,
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

/** Steps on the circle of fifths between two keys, a relative major and minor counting as one key; 0..6. */
export function keyDistance(a: Key, b: Key): number {
  const place = (key: Key) => {
    const tonic = pitchClassNames.indexOf(key.tonic);
    return (7 * (key.mode === 'major' ? tonic : tonic + 3)) % 12;
  };
  const steps = Math.abs(place(a) - place(b));
  return Math.min(steps, 12 - steps);
}

function beatMix(from: MixTrack, to: MixTrack, limits: MixLimits): MixPlan | undefined {
  if (from.tempoBpm === undefined || to.tempoBpm === undefined) return undefined;
  if (Math.min(from.tempoConfidence, to.tempoConfidence) < sureTempo) return undefined;
  const ratios = tempoRatios(from.tempoBpm, to.tempoBpm, limits.maxTempoShift ?? 0.06);
  if (ratios === undefined) return undefined;
  const cueInMs = entry(to);
  const beatMs = 60_000 / (from.tempoBpm * ratios.from);
  const far = from.key !== undefined && to.key !== undefined && keyDistance(from.key, to.key) > 1;
  for (const beats of beatChoices) {
    if (far && beats > 8) continue;
    const overlapMs = beats * beatMs;
    if (overlapMs > 16_500 || cueInMs + overlapMs * ratios.to > to.durationMs) continue;
    const cueOutMs = exit(from, overlapMs * ratios.from, limits);
    if (cueOutMs === undefined) continue;
    return finish('beatmix', from, to, limits, cueOutMs, cueInMs, overlapMs, beats, ratios);
  }
  return undefined;
}

function fade(from: MixTrack, to: MixTrack, limits: MixLimits): MixPlan | undefined {
  const cueInMs = entry(to);
  const overlapMs = Math.min(fadeMs, from.durationMs / 4, (to.durationMs - cueInMs) / 4);
  if (overlapMs < 1_000) return undefined;
  const end = soundEnd(from);
  const cueOutMs = limits.cueOutMs ?? Math.max(end - overlapMs, earliestExit(from, limits));
  if (cueOutMs + overlapMs > from.durationMs) return undefined;
  return finish('fade', from, to, limits, cueOutMs, cueInMs, overlapMs, 0, { from: 1, to: 1 });
}

function cut(from: MixTrack, to: MixTrack, limits: MixLimits): MixPlan | undefined {
  const at = limits.cueOutMs ?? exit(from, 0, limits);
  if (at === undefined || from.downbeatsMs.length === 0) return undefined;
  return finish('cut', from, to, limits, at, entry(to), 0, 0, { from: 1, to: 1 });
}

function gap(from: MixTrack, to: MixTrack, limits: MixLimits): MixPlan {
  return finish('gap', from, to, limits, from.durationMs, 0, 0, 0, { from: 1, to: 1 });
}

function finish(
  type: MixType,
  from: MixTrack,
  to: MixTrack,
  limits: MixLimits,
  cueOutMs: number,
  cueInMs: number,
  overlapMs: number,
  overlapBeats: number,
  ratios: { from: number; to: number },
): MixPlan {
  const gains = matchGains(from.loudness, to.loudness, overlapMs > 0, limits.peakCeilingDbtp);
  return {
    type,
    cueOutMs: Math.round(cueOutMs),
    cueInMs: Math.round(cueInMs),
    overlapMs: Math.round(overlapMs),
    overlapBeats,
    fromTempoRatio: ratios.from,
    toTempoRatio: ratios.to,
    fromGainDb: gains.fromDb,
    toGainDb: gains.toDb,
    bassSwapMs: Math.round(overlapMs / 2),
  };
}

function within(ratio: number, share: number): boolean {
  return ratio <= 1 + share && ratio >= 1 - share;
}

/** Entry of the second track: its first cue, on a downbeat where there is one within two seconds after. */
function entry(track: MixTrack): number {
  const first = track.cues.find((cue) => cue.kind === 'in')?.atMs ?? 0;
  const downbeat = track.downbeatsMs.find((t) => t >= first - 50);
  return downbeat !== undefined && downbeat - first < 2_000 ? downbeat : first;
}

function soundEnd(track: MixTrack): number {
  const last = track.cues.findLast((cue) => cue.kind === 'out' && cue.strength === 1)?.atMs;
  return last === undefined ? track.durationMs : Math.min(last, track.durationMs);
}

function earliestExit(track: MixTrack, limits: MixLimits): number {
  return Math.max(0, track.durationMs - (limits.maxCutMs ?? 30_000));
}

/** Last downbeat from which `neededMs` still sound, or the one nearest to the caller's choice; absent if there is none. */
function exit(track: MixTrack, neededMs: number, limits: MixLimits): number | undefined {
  const latest = Math.max(soundEnd(track), track.durationMs - 4_000) - neededMs;
  const usable = track.downbeatsMs.filter((t) => t <= latest && t + neededMs <= track.durationMs);
  if (limits.cueOutMs !== undefined) {
    const wanted = limits.cueOutMs;
    return usable.reduce<number | undefined>(
      (best, t) => (best === undefined || Math.abs(t - wanted) < Math.abs(best - wanted) ? t : best),
      undefined,
    );
  }
  const last = usable[usable.length - 1];
  return last !== undefined && last >= earliestExit(track, limits) ? last : undefined;
}
