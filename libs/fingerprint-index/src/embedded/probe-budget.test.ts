import { describe, expect, it } from 'vitest';
import { sortProbes } from './hits.js';
import { limitProbes } from './probe-budget.js';

/** 100 pages of 100 postings: hashes below 10,000 are rare (one a page of 1,000), hash 20,000 fills 80 pages. */
const directory = {
  firstHashes: Uint32Array.from({ length: 100 }, (_, page) => (page < 20 ? page * 1000 : 20_000)),
  postings: 10_000,
};
const rare = Array.from({ length: 300 }, (_, i) => i * 30);
const probes = sortProbes(Uint32Array.from([20_000, ...rare, 20_000]));

describe('limitProbes', () => {
  it('keeps every probe when the budget suffices', () => {
    expect(limitProbes(probes, [directory], 100_000)).toBe(probes);
  });

  it('drops the hot hash before any rare one', () => {
    const kept = limitProbes(probes, [directory], 6000);
    expect([...kept.hashes]).toEqual(rare);
    expect(kept.count).toBe(300);
    expect([...kept.entries]).toEqual(rare.map((_, i) => i + 1));
  });

  it('takes an even share of equally rare ones', () => {
    const { hashes, count } = limitProbes(probes, [directory], 1500);
    expect(count).toBeGreaterThan(100);
    expect(count).toBeLessThan(220);
    expect([...hashes].filter((hash) => hash < 4500).length).toBeGreaterThan(0.4 * count);
    expect([...hashes].filter((hash) => hash >= 4500).length).toBeGreaterThan(0.4 * count);
  });

  it('keeps everything of an index without segments', () => {
    expect(limitProbes(probes, [], 10)).toBe(probes);
  });
});
