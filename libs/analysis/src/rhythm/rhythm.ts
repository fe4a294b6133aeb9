import type { Chroma } from '../tonal/chroma.js';
import { beatHypotheses } from './beat-hypothesis.js';
import { scoreHypothesis } from './beat-scorer.js';
import { downbeatIndices } from './downbeats.js';
import { toNovelty } from './novelty.js';
import type { OnsetStrength } from './onset-strength.js';
import { onsetRateHz } from './onset-strength.js';
import { periodicityOf } from './periodicity.js';

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

/**
 * Tracks beats and downbeats: candidate periods and phases are followed through the onset strength, and the way to hear
 * the beat that resembles the beats of scored music most is taken.
 */
export function trackBeats(onsets: OnsetStrength, chroma: Chroma): Rhythm {
  const novelty = toNovelty(onsets);
  const hypotheses = beatHypotheses(novelty, periodicityOf(novelty), chroma);
  if (hypotheses.length === 0 || novelty.total.every((v) => v === 0)) {
    return { tempoConfidence: 0, beatSeconds: [], downbeatSeconds: [] };
  }
  const scores = hypotheses.map((h) => scoreHypothesis(h.features));
  const top = Math.max(...scores);
  const chosen = hypotheses[scores.indexOf(top)];
  let [all, same] = [0, 0];
  for (let i = 0; i < hypotheses.length; i++) {
    const likelihood = Math.exp(scores[i] - top);
    all += likelihood;
    if (Math.abs(Math.log(hypotheses[i].periodFrames / chosen.periodFrames)) < 0.04) same += likelihood;
  }
  const seconds = Array.from(chosen.beats, (frame) => Math.max(0, (frame - latencyFrames) / onsetRateHz));
  return {
    tempoBpm: (60 * onsetRateHz) / chosen.periodFrames,
    tempoConfidence: same / all,
    beatSeconds: seconds,
    downbeatSeconds: downbeatIndices(chosen.beats, novelty, chroma).map((i) => seconds[i]),
  };
}
