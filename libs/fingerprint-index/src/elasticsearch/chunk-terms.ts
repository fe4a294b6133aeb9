import { unmixHash } from '@earmark/fingerprint';

/** Digits of a term: printable ASCII in ascending order, without space, quote and backslash. */
const digits = Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i))
  .filter((digit) => digit !== '"' && digit !== '\\')
  .slice(0, 85)
  .join('');
const digitCodes = Buffer.from(digits, 'latin1');

/** Bytes of one term with the space after it. */
const termBytes = 6;

/**
 * The key under which a hash is stored: its mixing undone, so that cells which a query probes together are neighbours
 * in the term dictionary.
 */
export const keyOfHash = unmixHash;

/** Distinct keys of hashes, ascending: an index without positions stores each once a document. */
export function distinctKeys(hashes: Uint32Array): Uint32Array {
  const keys = hashes.map(keyOfHash).sort();
  let count = 0;
  for (let i = 0; i < keys.length; i++) if (i === 0 || keys[i] !== keys[i - 1]) keys[count++] = keys[i];
  return keys.subarray(0, count);
}

/** Keys as text that a whitespace tokenizer splits again: five digits to the base of 85 each, so that order is kept. */
export function termsOf(keys: Uint32Array): string {
  const bytes = Buffer.allocUnsafe(Math.max(0, keys.length * termBytes - 1));
  for (let i = 0; i < keys.length; i++) {
    let rest = keys[i];
    const at = i * termBytes;
    for (let k = 4; k >= 0; k--) {
      const next = Math.floor(rest / 85);
      bytes[at + k] = digitCodes[rest - next * 85];
      rest = next;
    }
    if (i + 1 < keys.length) bytes[at + 5] = 32;
  }
  return bytes.toString('latin1');
}
