import { seededRandom } from '@earmark/kernel';
import { describe, expect, it } from 'vitest';
import { changePoints } from './change-points.js';

const size = 16;
const scales = [{ reach: 16, minRatio: 15 }];

/** Rows of one direction a part, with scatter. */
function rowsOf(
  parts: readonly (readonly [direction: number, count: number])[],
  scatter: number,
): Float32Array {
  const random = seededRandom(1);
  const rows = parts.flatMap(([direction, count]) =>
    Array.from({ length: count }, () => {
      const row = Float32Array.from(
        { length: size },
        (_, i) => (i === direction ? 1 : 0) + scatter * (2 * random.next() - 1),
      );
      const length = Math.hypot(...row);
      return row.map((value) => value / length);
    }),
  );
  return Float32Array.from(rows.flatMap((row) => [...row]));
}

describe('change points', () => {
  it('are found where the direction changes, each once', () => {
    expect(
      changePoints(
        rowsOf(
          [
            [0, 12],
            [3, 14],
            [0, 10],
          ],
          0.2,
        ),
        size,
        4,
        scales,
      ),
    ).toEqual([12, 26]);
  });

  it('are not found in scatter, nor in what is shorter than two sides', () => {
    expect(changePoints(rowsOf([[0, 60]], 0.3), size, 4, scales)).toEqual([]);
    expect(
      changePoints(
        rowsOf(
          [
            [0, 3],
            [1, 4],
          ],
          0,
        ),
        size,
        4,
        scales,
      ),
    ).toEqual([]);
    expect(changePoints(new Float32Array(0), size, 4, scales)).toEqual([]);
  });

  it('are found at a scale of their own where a longer reach sees both sides mixed', () => {
    const episode = rowsOf(
      [
        [0, 30],
        [3, 8],
        [0, 30],
      ],
      0.1,
    );
    expect(changePoints(episode, size, 4, [{ reach: 16, minRatio: 60 }])).toEqual([]);
    expect(
      changePoints(episode, size, 4, [
        { reach: 16, minRatio: 60 },
        { reach: 8, minRatio: 60 },
      ]),
    ).toEqual([30, 38]);
  });
});
