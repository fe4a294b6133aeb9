import { InvalidValueError } from '@earmark/kernel';

const isrcPattern = /^[A-Z]{2}[A-Z0-9]{3}[0-9]{7}$/;

/**
 * Normalises an International Standard Recording Code: hyphens and spaces around it removed, upper case.
 *
 * @returns 12 characters, such as `DEA121234567`
 * @throws {InvalidValueError} `catalog.bad-isrc`
 * @see ISO 3901:2019
 */
export function normaliseIsrc(text: string, pointer = '/isrc'): string {
  const isrc = text.trim().replaceAll('-', '').toUpperCase();
  if (!isrcPattern.test(isrc)) {
    throw new InvalidValueError(
      'catalog.bad-isrc',
      pointer,
      `"${clip(text)}" is no ISRC: two letters, three letters or digits, seven digits`,
    );
  }
  return isrc;
}

/**
 * Computes the last digit of a GS1 number: weights 3 and 1 in turn from the right.
 *
 * @param digits all digits but the last
 * @see GS1 General Specifications, section 7.9
 */
export function gs1CheckDigit(digits: string): number {
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const weight = (digits.length - i) % 2 === 1 ? 3 : 1;
    sum += weight * Number(digits.charAt(i));
  }
  return (10 - (sum % 10)) % 10;
}

/**
 * Normalises the number of a release: EAN-8, UPC-A (12), EAN-13 or GTIN-14, without spaces and hyphens.
 *
 * @throws {InvalidValueError} `catalog.bad-upc` for a wrong length or check digit
 */
export function normaliseUpc(text: string, pointer = '/upc'): string {
  const upc = text.trim().replace(/[\s-]/g, '');
  if (!/^(\d{8}|\d{12,14})$/.test(upc)) {
    throw new InvalidValueError('catalog.bad-upc', pointer, `"${clip(text)}" has not 8, 12, 13 or 14 digits`);
  }
  const expected = gs1CheckDigit(upc.slice(0, -1));
  if (Number(upc.at(-1)) !== expected) {
    throw new InvalidValueError('catalog.bad-upc', pointer, `"${clip(text)}" should end in ${expected}`);
  }
  return upc;
}

/**
 * Normalises an International Standard Musical Work Code to `T-DDD.DDD.DDD-C`.
 *
 * Check digit: (1 + sum of i * digit i, i = 1..9) mod 10, taken from 10.
 *
 * @throws {InvalidValueError} `catalog.bad-iswc` for a wrong shape or check digit
 * @see ISO 15707:2022
 */
export function normaliseIswc(text: string, pointer = '/iswc'): string {
  const match = /^T(\d{3})(\d{3})(\d{3})(\d)$/.exec(
    text
      .trim()
      .toUpperCase()
      .replace(/[\s.-]/g, ''),
  );
  if (!match) {
    throw new InvalidValueError(
      'catalog.bad-iswc',
      pointer,
      `"${clip(text)}" is not of the form T-DDD.DDD.DDD-C`,
    );
  }
  const [, first = '', second = '', third = '', check] = match;
  const digits = first + second + third;
  let sum = 1;
  for (let i = 0; i < 9; i++) sum += (i + 1) * Number(digits.charAt(i));
  const expected = (10 - (sum % 10)) % 10;
  if (Number(check) !== expected) {
    throw new InvalidValueError('catalog.bad-iswc', pointer, `"${clip(text)}" should end in ${expected}`);
  }
  return `T-${first}.${second}.${third}-${expected}`;
}

/** Shortens what came from outside before it goes into a message. */
function clip(text: string): string {
  return text.length <= 40 ? text : `${text.slice(0, 40)}...`;
}
