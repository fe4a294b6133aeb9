import { mixHash } from '@earmark/fingerprint';
import { describe, expect, it } from 'vitest';
import { distinctKeys, termsOf } from './chunk-terms.js';
import { rarestKeys, rarityOf, raritySizes } from './hash-rarity.js';
import { rarityTables } from './hash-rarity.generated.js';
import { indexNames, versionName, versionNumber } from './index-names.js';

describe('terms of an Elasticsearch document', () => {
  it('hold each key once, in an order that the terms keep', () => {
    const keys = distinctKeys(Uint32Array.from([7, 0xffff_ffff, 7, 0, 85 ** 4].map(mixHash)));
    expect([...keys]).toEqual([0, 7, 85 ** 4, 0xffff_ffff]);
    const terms = termsOf(keys).split(' ');
    expect(terms).toHaveLength(4);
    expect(terms.every((term) => /^[!-~]{5}$/.test(term) && !/["\\]/.test(term))).toBe(true);
    expect(terms.toSorted()).toEqual(terms);
    expect(termsOf(new Uint32Array(0))).toBe('');
  });
});

describe('rarity of keys', () => {
  it('has a table for every cell of this fingerprint', () => {
    for (const [name, size] of Object.entries(raritySizes)) {
      expect(Buffer.from(rarityTables[name as keyof typeof raritySizes], 'base64')).toHaveLength(size);
    }
  });

  it('keeps the rarest keys in their order', () => {
    const keys = Uint32Array.from({ length: 500 }, (_, i) => i * 8_000_003).sort();
    const rarest = rarestKeys(keys, 100);
    expect(rarest).toHaveLength(100);
    expect([...rarest].toSorted((a, b) => a - b)).toEqual([...rarest]);
    const left = [...keys].filter((key) => !rarest.includes(key));
    expect(Math.min(...[...rarest].map(rarityOf))).toBeGreaterThanOrEqual(Math.max(...left.map(rarityOf)));
    expect(rarestKeys(keys, 500)).toBe(keys);
  });
});

describe('names of an installation', () => {
  it('number the versions of an index', () => {
    const names = indexNames('earmark-01h');
    expect(versionNumber(names, versionName(names, 12))).toBe(12);
    expect(versionNumber(names, 'something-else')).toBe(0);
    expect(() => indexNames('Upper')).toThrow(RangeError);
  });
});
