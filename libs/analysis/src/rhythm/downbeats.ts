import type { Chroma } from '../tonal/chroma.js';
import { chromaChange } from './beat-hypothesis.js';
import type { Novelty } from './novelty.js';

/** How much each sign of a first beat counts, per standard deviation. */
const signs = { harmony: 0.7, bass: 0.6, low: 0.5, total: 0.3, high: -0.25 } as const;

/**
 * Finds the first beats of bars: change of harmony and of bass, and accents of the low range, decoded (Viterbi) over
 * metre and place in the bar.
 *
 * @param beats frames of the beats, ascending
 * @returns indices into `beats`, ascending
 */
export function downbeatIndices(beats: Float64Array, novelty: Novelty, chroma: Chroma): number[] {
  const evidence = downbeatEvidence(beats, novelty, chroma);
  return decodeBars(evidence, rules);
}

type BarRules = Readonly<{
  /** Beats a bar that are told apart, and what a beat of such a bar costs. */
  metres: readonly (readonly [beats: number, cost: number])[];
  /** Taken from the evidence of every beat that begins a bar. */
  offset: number;
  /** Cost of a change of metre or of place in the bar. */
  jump: number;
}>;

/** For hand-made evidence, in standard deviations. */
const rules: BarRules = {
  metres: [
    [4, 0],
    [3, 0.08],
  ],
  offset: 0.4,
  jump: 8,
};

/** For logits of the network. */
const networkRules: BarRules = {
  metres: [
    [4, 0],
    [3, 0.02],
    [2, 0.05],
    [5, 0.1],
    [6, 0.1],
    [7, 0.1],
  ],
  offset: 0,
  jump: 9,
};

/**
 * Finds the first beats of bars from the network's logits, a beat each.
 *
 * @returns indices of the beats that begin a bar, ascending
 */
export function barStarts(logits: Float32Array): number[] {
  return decodeBars(
    Float64Array.from(logits, (logit) => Math.max(-6, Math.min(6, logit))),
    networkRules,
  );
}

/** The likeliest course of metres and places in the bar (Viterbi); a beat that begins a bar earns its evidence. */
function decodeBars(evidence: Float64Array, { metres, offset, jump }: BarRules): number[] {
  const n = evidence.length;
  if (n === 0) return [];
  const states = metres.flatMap(([beats, cost]) =>
    Array.from({ length: beats }, (_, place) => ({ beats, cost, place })),
  );
  const next = states.map((from) =>
    states.findIndex((to) => to.beats === from.beats && to.place === (from.place + 1) % from.beats),
  );
  let score = new Float64Array(states.length);
  const back: Uint8Array[] = [];
  for (let i = 0; i < n; i++) {
    const best = score.indexOf(Math.max(...score));
    const now = new Float64Array(states.length).fill(score[best] - jump);
    const from = new Uint8Array(states.length).fill(best);
    for (let s = 0; s < states.length; s++) {
      const to = i === 0 ? s : next[s];
      if (score[s] >= now[to]) [now[to], from[to]] = [score[s], s];
    }
    for (let s = 0; s < states.length; s++) {
      now[s] += (states[s].place === 0 ? evidence[i] - offset : 0) - states[s].cost;
    }
    back.push(from);
    score = now;
  }
  const found: number[] = [];
  let at = score.indexOf(Math.max(...score));
  for (let i = n - 1; i >= 0; i--) {
    if (states[at].place === 0) found.push(i);
    at = back[i][at];
  }
  return found.reverse();
}

/** Evidence that each beat begins a bar, in about standard deviations. */
function downbeatEvidence(beats: Float64Array, novelty: Novelty, chroma: Chroma): Float64Array {
  const n = beats.length;
  const at = (values: Float32Array) =>
    Float64Array.from(beats, (beat) => {
      const centre = Math.round(beat);
      let top = 0;
      for (let i = centre - 2; i <= centre + 2; i++) top = Math.max(top, values[i] ?? 0);
      return top;
    });
  const padded = (values: Float64Array) => Float64Array.from({ length: n }, (_, i) => values[i] ?? 0);
  const parts: [number, Float64Array][] = [
    [signs.harmony, padded(chromaChange(chroma, beats, 0))],
    [signs.bass, padded(chromaChange(chroma, beats, 0, 12))],
    [signs.low, at(novelty.bands[0])],
    [signs.total, at(novelty.total)],
    [signs.high, at(novelty.bands[3])],
  ];
  const out = new Float64Array(n);
  for (const [weight, values] of parts) {
    const mean = values.reduce((a, b) => a + b, 0) / n;
    const deviation = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / n) + 1e-6;
    for (let i = 0; i < n; i++) out[i] += (weight * (values[i] - mean)) / deviation;
  }
  return out;
}
