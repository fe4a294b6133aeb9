import { describe, expect, it } from 'vitest';
import { gs1CheckDigit, normaliseIsrc, normaliseIswc, normaliseUpc } from './identifiers.js';

describe('ISRC', () => {
  it('drops hyphens and raises case', () => {
    expect(normaliseIsrc(' us-s1z-99-00001 ')).toBe('USS1Z9900001');
  });
  it.each(['', 'US-S1Z-99-0001', 'U1S1Z9900001', 'USS1Z99000012', 'USS1Z990000X', 'USS1Z99０0001'])(
    'refuses %j',
    (text) => {
      expect(() => normaliseIsrc(text)).toThrow(
        expect.objectContaining({ code: 'catalog.bad-isrc', pointer: '/isrc' }) as Error,
      );
    },
  );
});

describe('UPC and EAN', () => {
  it('knows the check digits of published examples', () => {
    // GS1's own worked example, and a UPC-A in use.
    expect(gs1CheckDigit('629104150021')).toBe(3);
    expect(normaliseUpc('0 36000 29145 2')).toBe('036000291452');
    expect(normaliseUpc('4006381333931')).toBe('4006381333931');
    expect(normaliseUpc('73513537')).toBe('73513537');
  });
  it.each(['036000291453', '123', '4006381333932', '40063813339x1'])('refuses %j', (text) => {
    expect(() => normaliseUpc(text)).toThrow(expect.objectContaining({ code: 'catalog.bad-upc' }) as Error);
  });
});

describe('ISWC', () => {
  it('writes the standard form of published examples', () => {
    expect(normaliseIswc('T0345246801')).toBe('T-034.524.680-1');
    expect(normaliseIswc('t-000.000.001-0')).toBe('T-000.000.001-0');
  });
  it.each(['T-034.524.680-2', 'T-034.524.68-1', '0345246801'])('refuses %j', (text) => {
    expect(() => normaliseIswc(text)).toThrow(expect.objectContaining({ code: 'catalog.bad-iswc' }) as Error);
  });
});
