import type { Profile } from './query-raster.js';

/** Pieces from `from` up to but not including `to` in which the reference sounds. */
export type PieceRange = Readonly<{ from: number; to: number }>;

/** Evidence that a change between "sounds" and "sounds not" must bring, natural logarithm. */
const switchCost = 5;

/**
 * Splits consecutive pieces into those where the reference sounds and the rest, by dynamic programming: each piece's
 * agreement is either that of the core or that of chance, and every change of state costs.
 *
 * @param coreExcess agreement above chance per unit of weight where the reference surely sounds
 */
export function findBorders(profile: Profile, coreExcess: number): readonly PieceRange[] {
  const pieces = profile.excess.length;
  const fromOut = new Uint8Array(pieces);
  const fromIn = new Uint8Array(pieces);
  let out = 0;
  let inside = -switchCost;
  for (let i = 0; i < pieces; i++) {
    const evidence = pieceEvidence(profile, i, coreExcess);
    const enters = out - switchCost > inside;
    const leaves = inside - switchCost > out;
    const nextInside = (enters ? out - switchCost : inside) + evidence;
    out = leaves ? inside - switchCost : out;
    fromIn[i] = enters ? 0 : 1;
    fromOut[i] = leaves ? 1 : 0;
    inside = nextInside;
  }
  const ranges: PieceRange[] = [];
  let state = inside > out ? 1 : 0;
  let end = pieces;
  for (let i = pieces - 1; i >= 0; i--) {
    const previous = state === 1 ? fromIn[i] : fromOut[i];
    if (state === 1 && previous === 0) ranges.unshift({ from: i, to: end });
    if (state === 0 && previous === 1) end = i;
    state = previous;
  }
  if (state === 1) ranges.unshift({ from: 0, to: end });
  return ranges;
}

/** Logarithm of how much likelier a piece is where the reference sounds than by chance, limited for one piece. */
export function pieceEvidence(profile: Profile, piece: number, coreExcess: number): number {
  const variance = profile.variance[piece];
  if (variance === 0) return 0;
  const expected = fadedShare * coreExcess * profile.weight[piece];
  const evidence =
    (profile.excess[piece] * expected - (expected * expected) / 2) / (variance * overdispersion);
  return Math.max(-mostEvidence, Math.min(mostEvidence, evidence));
}

/** Agreement of a faded or half covered stretch that is still the track's, relative to the core. */
const fadedShare = 0.4;
const mostEvidence = 3;
/** Peaks come in groups, so chance varies more than independent peaks would. */
const overdispersion = 2;
