import { describe, expect, it } from 'vitest';
import { findBorders } from './segment-borders.js';

/** A profile with an excess per piece, unit weight and variance. */
function profile(excess: readonly number[]) {
  return {
    excess: Float32Array.from(excess),
    variance: new Float32Array(excess.length).fill(1),
    weight: new Float32Array(excess.length).fill(1),
  };
}
const run = (value: number, count: number): number[] => new Array<number>(count).fill(value);

describe('findBorders', () => {
  it('finds where the agreement begins and ends', () => {
    expect(findBorders(profile([...run(0, 20), ...run(3, 30), ...run(0, 25)]), 3)).toEqual([
      { from: 20, to: 50 },
    ]);
  });

  it('keeps a short dip and parts a long one', () => {
    expect(findBorders(profile([...run(3, 20), ...run(0, 2), ...run(3, 20)]), 3)).toEqual([
      { from: 0, to: 42 },
    ]);
    expect(findBorders(profile([...run(3, 20), ...run(0, 40), ...run(3, 20)]), 3)).toHaveLength(2);
  });

  it('finds nothing where nothing agrees', () => {
    expect(findBorders(profile(run(0, 40)), 3)).toEqual([]);
    expect(findBorders(profile([]), 3)).toEqual([]);
  });

  it('reaches the ends of the recording', () => {
    expect(findBorders(profile(run(3, 10)), 3)).toEqual([{ from: 0, to: 10 }]);
  });
});
