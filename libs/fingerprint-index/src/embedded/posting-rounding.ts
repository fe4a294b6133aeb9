import { isPairCode } from '@earmark/fingerprint';

/** Bits that a page leaves out of every posting; a reader puts the middle of what they could say in their place. */
export type PostingRounding = Readonly<{
  /** Low bits of a position, 0 to 7. */
  position: number;
  /** Low bits of the two halves of a detail byte, 0 to 3 each. */
  details: readonly [high: number, low: number];
}>;

/** Nothing is left out. */
export const exactPostings: PostingRounding = { position: 0, details: [0, 0] };

/** Votes of triples are counted in cells of 24 frames, 1.5 steps of pitch and 3 % of speed. */
const triples: PostingRounding = { position: 3, details: [1, 1] };

/** Pairs must agree within a frame, and within .6 and .8 of a bin. */
const pairs: PostingRounding = { position: 0, details: [2, 2] };

/**
 * How exactly postings of a key are kept: as exactly as votes are counted. Leaves 28 and 29 bits of 33 in 1,000 h of music;
 * what it costs is in docs/evaluation/fingerprint-index.md.
 */
export function roundingOfKey(key: number): PostingRounding {
  return isPairCode(key) ? pairs : triples;
}

/** Detail bytes by the bits that are kept of them, for every pair of numbers of bits left out. */
const expansions = Array.from({ length: 16 }, (_, bits) => expansion(bits >> 2, bits & 3));

/** The bits of a detail byte that a page keeps. */
export function packDetail(detail: number, { details: [high, low] }: PostingRounding): number {
  return ((detail >> (4 + high)) << (4 - low)) | ((detail & 15) >> low);
}

/** Table of the detail bytes that packed ones stand for. */
export function unpackedDetails(high: number, low: number): Uint8Array {
  return expansions[(high << 2) | low];
}

function expansion(high: number, low: number): Uint8Array {
  const keptLow = 4 - low;
  return new Uint8Array(256).map((_, packed) => {
    const first = ((packed >> keptLow) << high) | ((1 << high) >> 1);
    const second = ((packed & ((1 << keptLow) - 1)) << low) | ((1 << low) >> 1);
    return (first << 4) | second;
  });
}
