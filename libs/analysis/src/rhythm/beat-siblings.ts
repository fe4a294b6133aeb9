import type { BeatHypothesis } from './beat-hypothesis.js';
import { onsetRateHz } from './onset-strength.js';

/** Tempos of siblings against a train's own; one more is the train of the same tempo that shares the fewest beats. */
const ratios = [2, 1 / 2, 3 / 2, 2 / 3, 3, 1 / 3];
const nearOctaves = 0.05;
const sameOctaves = 0.03;
const toleranceFrames = 0.07 * onsetRateHz;

/** Siblings of each train. */
export const siblingsPerTrain: number = ratios.length + 1;

/**
 * Finds the trains that a train is most easily mistaken for: of each of six other tempos (double, half, ...) the one that
 * shares the most beats, and the off-beat. Row-major [trains, {@link siblingsPerTrain}]; where there is none, the number of trains.
 */
export function beatSiblings(trains: readonly Pick<BeatHypothesis, 'beats' | 'periodFrames'>[]): Int32Array {
  const out = new Int32Array(trains.length * siblingsPerTrain).fill(trains.length);
  trains.forEach((train, i) => {
    const octaves = trains.map(({ periodFrames }) => Math.log2(train.periodFrames / periodFrames));
    ratios.forEach((ratio, r) => {
      let most = -1;
      trains.forEach((other, j) => {
        if (Math.abs(octaves[j] - Math.log2(ratio)) >= nearOctaves) return;
        const shared = sharedBeats(train.beats, other.beats);
        if (shared > most) [most, out[i * siblingsPerTrain + r]] = [shared, j];
      });
    });
    let fewest = Infinity;
    trains.forEach((other, j) => {
      if (Math.abs(octaves[j]) >= sameOctaves) return;
      const shared = sharedBeats(train.beats, other.beats);
      if (shared < fewest) [fewest, out[i * siblingsPerTrain + ratios.length]] = [shared, j];
    });
  });
  return out;
}

/** Share of the beats of both that have a beat of the other within 70 ms, at most 1. */
function sharedBeats(a: Float64Array, b: Float64Array): number {
  return Math.min(1, (beatsNear(a, b) + beatsNear(b, a)) / (a.length + b.length));
}

/** How many of `beats` have one of `others` within the tolerance; both are in order. */
function beatsNear(beats: Float64Array, others: Float64Array): number {
  let [found, at] = [0, 0];
  for (const beat of beats) {
    while (at < others.length && others[at] < beat - toleranceFrames) at++;
    if (at < others.length && others[at] <= beat + toleranceFrames) found++;
  }
  return found;
}
