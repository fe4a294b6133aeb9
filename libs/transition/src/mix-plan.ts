import type { Key, Loudness } from '@earmark/analysis';
import { pitchClassNames } from '@earmark/analysis';
import { alignBeats, nearestBeat, type BeatAlignment } from './beat-alignment.js';
import type { JoinOutcome } from './join-decision.js';
import { localLoudnessLu } from './loudness-curve.js';
import { beatmixCurves, fadeCurves, type MixCurves } from './mix-curve.js';
import { matchGains } from './mix-gain.js';
import type { MixTrack, TimeSpan } from './mix-track.js';

/** How two tracks are joined, from the most to the least blended; `gapless`: the second goes on where the first one stops. */
export type MixType = 'beatmix' | 'fade' | 'cut' | 'gap' | 'gapless';

/**
 * A plan: at `cueOutMs` of the first track the second starts at `cueInMs`; both sound for `overlapMs` of playing time.
 * Tempo ratios are playing speeds (1.05: 5 % faster), gains hold for the whole transition, curves for the overlap.
 */
export type MixPlan = Readonly<{
  type: MixType;
  cueOutMs: number;
  cueInMs: number;
  overlapMs: number;
  /** Beats of the first track in the overlap; 0 where beats are not matched. */
  overlapBeats: number;
  fromTempoRatio: number;
  toTempoRatio: number;
  fromGainDb: number;
  toGainDb: number;
  /** Playing time at which low frequencies change from the first to the second track, ms after `cueOutMs`. */
  bassSwapMs: number;
  curves: MixCurves;
}>;

/** Limits and wishes of the caller. */
export type MixLimits = Readonly<{
  /** Most of the end of the first track that may be lost, counted from the cue out, ms. Default 30,000. */
  maxCutMs?: number;
  /** Largest change of speed, share. Default 0.06. */
  maxTempoShift?: number;
  /** Start of the overlap chosen by the caller, ms. */
  cueOutMs?: number;
  /** Where the overlap shall end in the first track, ms; default the end of its sound. */
  tailEndMs?: number;
  /** Where the second track shall be entered, ms; default its first cue. */
  cueInMs?: number;
  /** Highest true peak of the sum, dBTP. Default -1. */
  peakCeilingDbtp?: number;
  /** What was decided about the pair. Default `mix`. */
  outcome?: JoinOutcome;
  /** Let no singing or speech of the two tracks sound at once. Default false. */
  keepVocals?: boolean;
}>;

const sureTempo = 0.35;
const fadeMs = 4_000;
const shortestFadeMs = 1_000;
const longestOverlapMs = 16_500;
const defaultMaxCutMs = 30_000;
const beatChoices = [32, 16, 8, 4] as const;
/** Beats in the overlap of tracks whose keys do not meet. */
const mostBeatsOfFarKeys = 8;
/** An exit on the border of a section is taken up to this long before the last one possible. */
const borderReachMs = 10_000;
const onBorderMs = 70;
const nearEntryMs = 2_000;
/** Stretch before and after the overlap whose loudness is matched, and how far it may pull from the whole tracks'. */
const loudnessSpanMs = 8_000;
const mostLocalLu = 9;

/**
 * Plans the transition from one track to the next. Beats are matched where both tempos are sure and meet within the limit
 * (an octave apart counts as equal); else the ends are faded into each other, cut on a downbeat, or played one after the other.
 */
export function planMix(from: MixTrack, to: MixTrack, limits: MixLimits = {}): MixPlan {
  const { outcome = 'mix' } = limits;
  if (outcome === 'gapless') return gapless(from, to, limits);
  if (outcome === 'do-not-mix') return gap(from, to, limits);
  return (
    beatMix(from, to, limits) ?? fade(from, to, limits) ?? cut(from, to, limits) ?? gap(from, to, limits)
  );
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
  if (Math.min(from.tempoConfidence, to.tempoConfidence) < sureTempo) return undefined;
  const far = from.key !== undefined && to.key !== undefined && keyDistance(from.key, to.key) > 1;
  const entryIndex = nearestBeat(to.beatsMs, entry(to, limits));
  for (const beats of beatChoices) {
    if (far && beats > mostBeatsOfFarKeys) continue;
    for (const exitIndex of exits(from, beats, limits)) {
      const found = alignBeats(from, exitIndex, to, entryIndex, beats, limits.maxTempoShift ?? 0.06);
      if (found === undefined || found.overlapMs > longestOverlapMs) continue;
      if (found.toMs < -0.5 || clash(from, to, found, limits)) continue;
      return finishBeatmix(from, to, limits, found);
    }
  }
  return undefined;
}

/**
 * Beats on which an overlap of `beats` beats may begin, best first: the caller's place; else the latest downbeat on the
 * border of a section near the end, then the latest downbeats.
 */
function exits(track: MixTrack, beats: number, limits: MixLimits): number[] {
  const { beatsMs, downbeatsMs } = track;
  if (limits.cueOutMs !== undefined) {
    const nearest = nearestBeat(downbeatsMs, limits.cueOutMs);
    return nearest < 0 ? [] : [nearestBeat(beatsMs, downbeatsMs[nearest])];
  }
  const earliest = earliestExit(track, limits);
  const latestEnd =
    Math.max(tailEnd(track, limits), limits.tailEndMs === undefined ? track.durationMs - 4_000 : 0) + 50;
  /** Latest first. */
  const usable: number[] = [];
  for (let n = downbeatsMs.length - 1; n >= 0; n--) {
    const i = nearestBeat(beatsMs, downbeatsMs[n]);
    if (i < 0 || beatsMs[i] < earliest) break;
    if (i + beats < beatsMs.length && beatsMs[i + beats] <= latestEnd) usable.push(i);
  }
  const [last] = usable;
  if (last === undefined) return [];
  const isBorder = (i: number): boolean =>
    track.cues.some(({ kind, atMs }) => kind === 'out' && Math.abs(atMs - beatsMs[i]) <= onBorderMs);
  const onBorder = usable.find((i) => beatsMs[last] - beatsMs[i] <= borderReachMs && isBorder(i));
  return [...(onBorder === undefined ? [] : [onBorder]), ...usable.slice(0, 3)];
}

function clash(
  from: MixTrack,
  to: MixTrack,
  plan: Pick<BeatAlignment, 'fromMs' | 'toMs' | 'overlapMs' | 'ratios'>,
  limits: MixLimits,
): boolean {
  if (limits.keepVocals !== true) return false;
  const playing = (track: MixTrack, startMs: number, ratio: number): TimeSpan[] =>
    (track.vocals ?? []).map((span) => ({
      startMs: Math.max(0, (span.startMs - startMs) / ratio),
      endMs: Math.min(plan.overlapMs, (span.endMs - startMs) / ratio),
    }));
  const [a, b] = [playing(from, plan.fromMs, plan.ratios.from), playing(to, plan.toMs, plan.ratios.to)];
  return a.some((one) =>
    b.some((other) => Math.min(one.endMs, other.endMs) > Math.max(one.startMs, other.startMs)),
  );
}

function finishBeatmix(from: MixTrack, to: MixTrack, limits: MixLimits, found: BeatAlignment): MixPlan {
  const { beats, overlapMs, ratios } = found;
  const beatMs = overlapMs / beats;
  // On the bar nearest to the middle.
  const bassSwapMs = Math.round(Math.max(1, Math.round(beats / 8)) * 4 * beatMs);
  const swapMs = beats <= 4 ? Math.round(overlapMs / 2) : bassSwapMs;
  return finish(from, to, limits, {
    type: 'beatmix',
    cueOutMs: found.fromMs,
    cueInMs: Math.max(0, found.toMs),
    overlapMs,
    overlapBeats: beats,
    ratios,
    bassSwapMs: swapMs,
    curves: beatmixCurves(Math.round(overlapMs), swapMs, beatMs),
  });
}

function fade(from: MixTrack, to: MixTrack, limits: MixLimits): MixPlan | undefined {
  const cueInMs = entry(to, limits);
  const end = tailEnd(from, limits);
  const longest = Math.min(fadeMs, end / 4, (to.durationMs - cueInMs) / 4);
  for (let overlapMs = longest; overlapMs >= shortestFadeMs; overlapMs /= 2) {
    const cueOutMs = limits.cueOutMs ?? Math.max(end - overlapMs, earliestExit(from, limits));
    if (cueOutMs + overlapMs > from.durationMs) continue;
    const place = { fromMs: cueOutMs, toMs: cueInMs, overlapMs, ratios: { from: 1, to: 1 } };
    if (clash(from, to, place, limits)) continue;
    return finish(from, to, limits, {
      type: 'fade',
      cueOutMs,
      cueInMs,
      overlapMs,
      curves: fadeCurves(Math.round(overlapMs)),
    });
  }
  return undefined;
}

function cut(from: MixTrack, to: MixTrack, limits: MixLimits): MixPlan | undefined {
  const end = tailEnd(from, limits);
  const wanted = limits.cueOutMs ?? end;
  const allowed = from.downbeatsMs.filter(
    (t) => limits.cueOutMs !== undefined || (t >= earliestExit(from, limits) && t <= end + onBorderMs),
  );
  const at = allowed[nearestBeat(allowed, wanted)];
  if (at === undefined) return undefined;
  return finish(from, to, limits, { type: 'cut', cueOutMs: at, cueInMs: entry(to, limits), overlapMs: 0 });
}

function gap(from: MixTrack, to: MixTrack, limits: MixLimits): MixPlan {
  const cueOutMs = limits.cueOutMs ?? Math.max(tailEnd(from, limits), earliestExit(from, limits));
  const first = limits.cueInMs ?? to.cues.find(({ kind }) => kind === 'in')?.atMs ?? 0;
  return finish(from, to, limits, { type: 'gap', cueOutMs, cueInMs: first, overlapMs: 0 });
}

function gapless(from: MixTrack, to: MixTrack, limits: MixLimits): MixPlan {
  const plan = finish(from, to, limits, {
    type: 'gapless',
    cueOutMs: from.durationMs,
    cueInMs: 0,
    overlapMs: 0,
  });
  // One performance: its levels are those of the record.
  const gainDb = Math.min(0, plan.fromGainDb, plan.toGainDb);
  return { ...plan, fromGainDb: gainDb, toGainDb: gainDb };
}

type Draft = Pick<MixPlan, 'type' | 'cueOutMs' | 'cueInMs' | 'overlapMs'> &
  Partial<Pick<MixPlan, 'overlapBeats' | 'bassSwapMs' | 'curves'>> &
  Readonly<{ ratios?: BeatAlignment['ratios'] }>;

function finish(from: MixTrack, to: MixTrack, limits: MixLimits, draft: Draft): MixPlan {
  const { type, cueOutMs, cueInMs, overlapMs, overlapBeats = 0, curves, ratios = { from: 1, to: 1 } } = draft;
  const entered = cueInMs + overlapMs * ratios.to;
  const gains = matchGains(
    loudnessAt(from, cueOutMs - loudnessSpanMs, cueOutMs),
    loudnessAt(to, entered, entered + loudnessSpanMs),
    overlapMs > 0,
    limits.peakCeilingDbtp,
  );
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
    bassSwapMs: draft.bassSwapMs ?? Math.round(overlapMs / 2),
    curves: curves ?? { from: [], to: [] },
  };
}

/** Loudness of a stretch, not far from that of the whole track; its peak is the whole track's. */
function loudnessAt({ loudness, loudnessCurve }: MixTrack, startMs: number, endMs: number): Loudness {
  const local = loudnessCurve === undefined ? 0 : localLoudnessLu(loudnessCurve, startMs, endMs);
  const shift = Math.max(-mostLocalLu, Math.min(mostLocalLu, local));
  return { ...loudness, integratedLufs: loudness.integratedLufs + shift };
}

/** Entry of the second track: the caller's or its first cue, on a downbeat where there is one within two seconds after. */
function entry(track: MixTrack, limits: MixLimits): number {
  const first = limits.cueInMs ?? track.cues.find((cue) => cue.kind === 'in')?.atMs ?? 0;
  const downbeat = track.downbeatsMs.find((t) => t >= first - onBorderMs);
  return downbeat !== undefined && downbeat - first < nearEntryMs ? downbeat : first;
}

/** Where the overlap shall end in the first track. */
function tailEnd(track: MixTrack, limits: MixLimits): number {
  const last = track.cues.findLast((cue) => cue.kind === 'out' && cue.strength === 1)?.atMs;
  return Math.min(limits.tailEndMs ?? last ?? track.durationMs, track.durationMs);
}

function earliestExit(track: MixTrack, limits: MixLimits): number {
  return Math.max(0, track.durationMs - (limits.maxCutMs ?? defaultMaxCutMs));
}
