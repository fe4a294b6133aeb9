import { describe, expect, it } from 'vitest';
import { refused } from './licences.ts';

const licences = (...names: string[]) =>
  refused(names.map((licence) => ({ name: 'x', version: '1', licence })));

describe('licence check', () => {
  it('accepts permissive, file-level copyleft and dual licences with a permissive choice', () => {
    expect(licences('MIT', 'Apache-2.0', 'MPL-2.0', 'ISC', '(GPL-2.0 OR MIT)', 'LGPL-3.0-or-later')).toEqual(
      [],
    );
  });

  it('refuses GPL, AGPL, SSPL, non-commercial and unstated licences', () => {
    expect(
      licences('GPL-2.0', 'AGPL-3.0-only', 'SSPL-1.0', 'CC-BY-NC-4.0', '', 'GPL-3.0 OR AGPL-3.0'),
    ).toHaveLength(6);
  });
});
