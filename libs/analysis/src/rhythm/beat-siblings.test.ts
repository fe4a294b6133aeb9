import { describe, expect, it } from 'vitest';
import { beatSiblings, siblingsPerTrain } from './beat-siblings.js';

/** A train of beats from a frame on. */
function train(first: number, periodFrames: number): { beats: Float64Array; periodFrames: number } {
  return { beats: Float64Array.from({ length: 24 }, (_, i) => first + i * periodFrames), periodFrames };
}

describe('beatSiblings', () => {
  it('finds half and double tempo on the same beats, the off-beat, and nothing else', () => {
    const trains = [train(0, 48), train(24, 48), train(0, 24), train(0, 96), train(24, 96)];
    const siblings = beatSiblings(trains);
    const of = (i: number): number[] => [
      ...siblings.subarray(i * siblingsPerTrain, (i + 1) * siblingsPerTrain),
    ];
    const none = trains.length;
    expect(of(0)).toEqual([2, 3, none, none, none, none, 1]);
    expect(of(1)).toEqual([2, 4, none, none, none, none, 0]);
    expect(of(2).slice(0, 2)).toEqual([none, 0]);
    expect(of(3)[0]).toBe(0);
  });

  it('finds a third and two thirds of the tempo', () => {
    const siblings = beatSiblings([train(0, 20), train(0, 60), train(0, 30)]);
    expect([...siblings.subarray(0, siblingsPerTrain)]).toEqual([3, 3, 3, 2, 3, 1, 0]);
  });
});
