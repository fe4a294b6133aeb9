import type { Chroma } from '../tonal/chroma.js';
import type { BeatHypothesis } from './beat-hypothesis.js';
import { beatHypotheses } from './beat-hypothesis.js';
import type { BeatNetwork } from './beat-network.js';
import { downbeatRowSize, trainRowSize } from './beat-network.js';
import { beatPattern, patternSize, patternSpectrum } from './beat-pattern.js';
import { scoreHypothesis } from './beat-scorer.js';
import { beatSiblings } from './beat-siblings.js';
import { barStarts, downbeatIndices } from './downbeats.js';
import type { Novelty } from './novelty.js';
import { toNovelty } from './novelty.js';
import type { OnsetStrength } from './onset-strength.js';
import { onsetRateHz } from './onset-strength.js';
import type { Periodicity } from './periodicity.js';
import { atLag, periodicityOf } from './periodicity.js';

/**
 * Beats of a recording: seconds of the beats and of the first beats of bars, the median tempo and how sure it is (0..1).
 * Without a beat the lists are empty and there is no tempo.
 */
export type Rhythm = Readonly<{
  tempoBpm?: number;
  tempoConfidence: number;
  beatSeconds: readonly number[];
  downbeatSeconds: readonly number[];
}>;

/** Frames by which onset strength lags behind the sound's own onset: rise of the window and of the attack. */
const latencyFrames = 0.15;

/** Autocorrelation at multiples of the beat under which there is no pulse, and from which it is certain. */
const pulse = { least: 0.08, certain: 0.24 } as const;
/** Mean novelty under which nothing is struck, as in a drone, and from which something is. */
const strokes = { least: 0.06, certain: 0.16 } as const;

const noRhythm: Rhythm = { tempoConfidence: 0, beatSeconds: [], downbeatSeconds: [] };

/**
 * Tracks beats and downbeats: candidate periods and phases are followed through the onset strength, and the way to hear
 * the beat that resembles the beats of scored music most is taken, by a linear scorer.
 */
export function trackBeats(onsets: OnsetStrength, chroma: Chroma): Rhythm {
  const heard = hearTrains(onsets, chroma);
  const { novelty, trains } = heard;
  if (trains.length === 0) return noRhythm;
  const scores = trains.map((train) => scoreHypothesis(train.features));
  const chosen = trains[scores.indexOf(Math.max(...scores))];
  return rhythmOf(heard, scores, downbeatIndices(chosen.beats, novelty, chroma));
}

/** {@link trackBeats} with the trained network in place of the linear scorer and of the rules for bars. */
export async function trackBeatsWith(
  network: BeatNetwork,
  onsets: OnsetStrength,
  chroma: Chroma,
): Promise<Rhythm> {
  const heard = hearTrains(onsets, chroma);
  const { novelty, trains } = heard;
  if (trains.length === 0) return noRhythm;
  const rows = new Float32Array(trains.length * trainRowSize);
  const patterns = trains.map(({ beats, features }, i) => {
    const pattern = beatPattern(beats, novelty, chroma);
    rows.set(features, i * trainRowSize);
    rows.set(patternSpectrum(pattern), i * trainRowSize + features.length);
    return pattern;
  });
  const scores = Array.from(await network.scoreTrains(rows, beatSiblings(trains), trains.length));
  const best = scores.indexOf(Math.max(...scores));
  const { beats, periodFrames } = trains[best];
  const beatRows = downbeatRows(patterns[best], (60 * onsetRateHz) / periodFrames);
  const downbeats = barStarts(await network.scoreDownbeats(beatRows, beats.length));
  return rhythmOf(heard, scores, downbeats);
}

type Trains = Readonly<{
  novelty: Novelty;
  periodicity: Periodicity;
  trains: readonly BeatHypothesis[];
}>;

function hearTrains(onsets: OnsetStrength, chroma: Chroma): Trains {
  const novelty = toNovelty(onsets);
  const periodicity = periodicityOf(novelty);
  const isSilent = novelty.total.every((v) => v === 0);
  return { novelty, periodicity, trains: isSilent ? [] : beatHypotheses(novelty, periodicity, chroma) };
}

/** Whether there is a pulse at all, 0 to 1: strokes, and that they come back at multiples of the beat period. */
function pulseClarity(novelty: Novelty, { mean }: Periodicity, periodFrames: number): number {
  const strongest = Math.max(...[1, 2, 3, 4].map((k) => atLag(mean, k * periodFrames)));
  const struck = novelty.total.reduce((sum, value) => sum + value, 0) / novelty.frames;
  return between(strongest, pulse) * between(struck, strokes);
}

function between(value: number, { least, certain }: Readonly<{ least: number; certain: number }>): number {
  return Math.max(0, Math.min(1, (value - least) / (certain - least)));
}

/** Rows for {@link BeatNetwork.scoreDownbeats}. */
export function downbeatRows(pattern: Float32Array, tempoBpm: number): Float32Array {
  const n = pattern.length / patternSize;
  const out = new Float32Array(n * downbeatRowSize);
  for (let i = 0; i < n; i++) {
    out.set(pattern.subarray(i * patternSize, (i + 1) * patternSize), i * downbeatRowSize);
    out[i * downbeatRowSize + patternSize] = Math.log2(tempoBpm / 120);
  }
  return out;
}

function rhythmOf(
  { novelty, periodicity, trains }: Trains,
  scores: readonly number[],
  downbeats: readonly number[],
): Rhythm {
  const top = Math.max(...scores);
  const chosen = trains[scores.indexOf(top)];
  let [all, same] = [0, 0];
  for (let i = 0; i < trains.length; i++) {
    const likelihood = Math.exp(scores[i] - top);
    all += likelihood;
    if (Math.abs(Math.log(trains[i].periodFrames / chosen.periodFrames)) < 0.04) same += likelihood;
  }
  const seconds = Array.from(chosen.beats, (frame) => Math.max(0, (frame - latencyFrames) / onsetRateHz));
  return {
    tempoBpm: (60 * onsetRateHz) / chosen.periodFrames,
    tempoConfidence: (same / all) * pulseClarity(novelty, periodicity, chosen.periodFrames),
    beatSeconds: seconds,
    downbeatSeconds: downbeats.map((i) => seconds[i]),
  };
}
