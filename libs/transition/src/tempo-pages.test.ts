import { seededRandom } from '@earmark/kernel';
import { expect, it } from 'vitest';
import { isInBands } from './head-filter.js';
import { TempoPages } from './tempo-pages.js';

function rowsOf(ranges: Int32Array): Set<number> {
  const rows = new Set<number>();
  for (let i = 0; i < ranges.length; i += 2)
    for (let row = ranges[i]; row < ranges[i] + ranges[i + 1]; row++) rows.add(row);
  return rows;
}

it('covers every row of a band, and all rows without one, while rows come and go', () => {
  const random = seededRandom(4);
  const pages = new TempoPages();
  const tempos = new Map<number, number>();
  for (let n = 0; n < 4_000; n++) {
    if (n % 3 === 2) {
      const [row, tempo] = [...tempos][Math.floor(random.next() * tempos.size)];
      const other = pages.remove(tempo);
      tempos.set(row, tempos.get(other) ?? NaN);
      tempos.delete(other);
    } else {
      const tempo = random.next() < 0.1 ? NaN : 40 + 200 * random.next();
      const row = pages.add(tempo);
      expect(tempos.has(row)).toBe(false);
      tempos.set(row, tempo);
    }
  }
  expect(rowsOf(pages.ranges())).toEqual(new Set(tempos.keys()));
  const bandsOf = [
    [110, 120],
    [0, 70],
    [100, Infinity],
    [63.9, 64, 128, 128.1],
  ];
  for (const limits of bandsOf) {
    const bands = Float64Array.from(limits);
    const covered = rowsOf(pages.ranges(bands));
    for (const [row, tempo] of tempos)
      if (isInBands(tempo, bands)) expect(covered.has(row), `${tempo}`).toBe(true);
  }
  expect(rowsOf(pages.ranges(Float64Array.of(110, 120))).size).toBeLessThan(tempos.size / 3);
});
