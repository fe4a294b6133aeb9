import { describe, expect, it } from 'vitest';
import { InvalidValueError } from './errors.js';
import { isId, makeId, parseId } from './ids.js';

const bytes = (fill: number) => new Uint8Array(10).fill(fill);

describe('ids', () => {
  it('carries the prefix of its kind and 26 characters', () => {
    expect(makeId('track', 1_700_000_000_000, bytes(7))).toMatch(/^trk_[0-9a-z]{26}$/);
  });

  it('sorts by time', () => {
    expect(makeId('track', 1_000, bytes(255)) < makeId('track', 1_001, bytes(0))).toBe(true);
  });

  it('keeps all 80 random bits', () => {
    const seen = new Set<string>();
    for (let i = 0; i < 80; i++) {
      const random = bytes(0);
      random[i >> 3] = 1 << (i & 7);
      seen.add(makeId('track', 0, random));
    }
    expect(seen.size).toBe(80);
  });

  it('accepts only its own kind', () => {
    const id = makeId('scan', 5, bytes(1));
    expect(isId('scan', id)).toBe(true);
    expect(isId('track', id)).toBe(false);
    expect(() => parseId('track', id, '/trackId')).toThrow(InvalidValueError);
  });
});
