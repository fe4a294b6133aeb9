import { seededRandom } from '@earmark/kernel';
import { describe, expect, it } from 'vitest';
import { PairHits } from './vote-hits.js';
import { pairSurvivors } from './vote-survivors.js';

/** `count` hits at random places of the axis, and some at one place. */
function scattered(count: number, axis: number, true_: Readonly<{ place: number; hits: number }>): PairHits {
  const random = seededRandom(5);
  const hits = new PairHits();
  hits.reserve(count + true_.hits);
  for (let i = 0; i < count; i++) hits.places[hits.length++] = random.next() * axis;
  for (let i = 0; i < true_.hits; i++) hits.places[hits.length++] = true_.place + (i & 1);
  return hits;
}

describe('pairSurvivors', () => {
  it('keeps the hits of a true place among a million of chance', () => {
    const hits = scattered(1_000_000, 15_000_000, { place: 7_654_321, hits: 12 });
    const { hits: kept } = pairSurvivors(hits);
    expect(kept.length).toBeLessThan(7000);
    expect([...kept].filter((i) => i >= 1_000_000)).toHaveLength(12);
  });

  it('prefers a count that is high for its surroundings to one that is higher but common there', () => {
    const hits = scattered(60_000, 2000, { place: 1_000_000, hits: 9 });
    const { hits: kept, crowds } = pairSurvivors(hits);
    const lonely = [...kept.keys()].filter((k) => hits.places[kept[k]] > 500_000);
    expect(lonely).toHaveLength(9);
    expect(crowds[lonely[0]]).toBe(9);
  });

  it('finds nothing where no two hits are side by side', () => {
    const hits = new PairHits();
    for (let i = 0; i < 60; i++) hits.places[hits.length++] = 1000 * i;
    expect(pairSurvivors(hits).hits).toHaveLength(0);
  });
});
