import { seededRandom } from '@earmark/kernel';
import { describe, expect, it } from 'vitest';
import { energyAt, ImpossibleSequenceError, orderSequence, type SequenceItem } from './sequence.js';

const items = (count: number): SequenceItem[] =>
  Array.from({ length: count }, (_, i) => ({
    id: `t${i}`,
    durationMs: 60_000,
    energy: ((i * 7) % count) / (count - 1),
  }));
const even = { score: (): number => 0.5 };
const rise = [
  { at: 0, energy: 0 },
  { at: 1, energy: 1 },
];

describe('orderSequence', () => {
  it('follows the energy curve where all joins are equal', () => {
    const set = items(10);
    const { order } = orderSequence(set, { ...even, curve: rise });
    expect(order.map((i) => set[i].energy)).toEqual([...set.map(({ energy }) => energy)].sort());
  });

  it('follows good joins without a curve', () => {
    const { order } = orderSequence(items(8), { score: (i, j) => (j === (i + 3) % 8 ? 1 : 0) });
    for (let i = 1; i < order.length; i++) expect(order[i]).toBe((order[i - 1] + 3) % 8);
  });

  it('keeps pins and locks', () => {
    const { order } = orderSequence(items(12), {
      ...even,
      curve: rise,
      pins: [
        { item: 5, position: 0 },
        { item: 2, position: -1 },
        { item: 8, position: 6 },
      ],
      locks: [
        [3, 1, 4],
        [9, 2],
      ],
    });
    expect([order[0], order[6], order.at(-1), order.at(-2)]).toEqual([5, 8, 2, 9]);
    const at = order.indexOf(3);
    expect(order.slice(at, at + 3)).toEqual([3, 1, 4]);
    expect([...order].sort((a, b) => a - b)).toEqual([...items(12).keys()]);
  });

  it('fills a budget with what joins best, and keeps what is pinned', () => {
    const set = items(9);
    const good = [0, 2, 4, 6];
    const { order, leftOut } = orderSequence(set, {
      score: (i, j) => (good.includes(i) && good.includes(j) ? 0.9 : 0.1),
      budgetMs: 250_000,
      pins: [{ item: 4, position: 1 }],
    });
    expect([...order].sort()).toEqual(good);
    expect(order[1]).toBe(4);
    expect(leftOut).toHaveLength(5);
  });

  it('refuses what cannot be', () => {
    const wrong = [
      { pins: [{ item: 0, position: 9 }] },
      {
        pins: [
          { item: 0, position: 1 },
          { item: 1, position: 1 },
        ],
      },
      {
        locks: [
          [0, 1],
          [1, 2],
        ],
      },
      { locks: [[0, 1, 2]], pins: [{ item: 1, position: 0 }] },
      { locks: [[0, 1, 2]], budgetMs: 100_000 },
    ];
    for (const wishes of wrong) {
      expect(() => orderSequence(items(4), { ...even, ...wishes })).toThrow(ImpossibleSequenceError);
    }
  });

  it('gives the same order again', () => {
    const random = seededRandom(4);
    const scores = Array.from({ length: 400 }, () => random.next());
    const wishes = { score: (i: number, j: number) => scores[20 * i + j], curve: rise };
    expect(orderSequence(items(20), wishes)).toEqual(orderSequence(items(20), wishes));
  });
});

describe('energyAt', () => {
  it('is straight between points and level outside', () => {
    const curve = [
      { at: 0.2, energy: 0.5 },
      { at: 0.6, energy: 1 },
    ];
    expect([0, 0.2, 0.4, 0.6, 1].map((at) => energyAt(curve, at))).toEqual([0.5, 0.5, 0.75, 1, 1]);
  });
});
