/** Sizes of the cells in which votes are counted: logarithm of the speed, pitch (steps), place (frames). */
export const voteCell = { logSpeed: 0.03, pitch: 1.5, tripleFrames: 24, pairFrames: 2 } as const;

/** Stretch of the axis, as a power of two, over which hits are counted to tell what chance gives. */
export const crowdBits = 11;
const crowdFrames = 1 << crowdBits;
/** Stretches told apart; more share a count. */
export const crowds = 1 << 16;

/** Share of a stretch's hits that fall into one cell by chance. */
const cellShare = {
  pair: voteCell.pairFrames / crowdFrames,
  triple: voteCell.tripleFrames / crowdFrames / 80,
} as const;

/** Votes that chance gives at least. */
const leastExpected = 0.2;
/** Levels of surprise that are told apart, per unit of {@link surpriseOf}. */
const levelsPerUnit = 8;
/** Classes of expected votes: eight per doubling from `leastExpected` on. */
const classes = 64;

/** How a landmark votes. */
export type VoteKind = keyof typeof cellShare;

/** Votes that chance gives a cell in a stretch of the axis with so many hits. */
export function expectedVotes(kind: VoteKind, crowd: number): number {
  return leastExpected + crowd * cellShare[kind];
}

/** Logarithm of how much likelier a count is for a true alignment than by chance (Poisson); 0 where it is not. */
export function surpriseOf(count: number, expected: number): number {
  return count <= expected ? 0 : count * Math.log(count / expected) - count + expected;
}

/** {@link surpriseOf} in levels of 0 to 255, by table: rounded in the expected votes by 4 %. */
export class SurpriseLevels {
  /** Class of a crowd, shifted to where its levels start in `levels`. */
  readonly startOfCrowd = new Uint16Array(1 << 16);
  /** For each class the level of every count up to 255. */
  readonly levels = new Uint8Array(classes << 8);

  constructor(kind: VoteKind) {
    for (let crowd = 0; crowd < this.startOfCrowd.length; crowd++) {
      const octaves = Math.log2(expectedVotes(kind, crowd) / leastExpected);
      this.startOfCrowd[crowd] = Math.min(classes - 1, Math.round(8 * octaves)) << 8;
    }
    for (let i = 0; i < this.levels.length; i++) {
      const surprise = surpriseOf(i & 255, leastExpected * 2 ** ((i >> 8) / 8));
      this.levels[i] = Math.min(255, Math.floor(levelsPerUnit * surprise));
    }
  }
}

/** Mixed name of a triple's cell; two cells share a name by chance one time in 2^32. */
export function tripleCell(place: number, logSpeed: number, pitch: number, shift: number): number {
  const speedCell = Math.floor(logSpeed / voteCell.logSpeed + shift);
  const pitchCell = Math.floor(pitch / voteCell.pitch + shift);
  const cell =
    Math.imul(Math.floor(place / voteCell.tripleFrames + shift), 0x85ebca6b) +
    Math.imul(speedCell * 64 + pitchCell, 0xc2b2ae35);
  const mixed = Math.imul(cell ^ (cell >>> 15), 0x2c1b3c6d);
  return (mixed ^ (mixed >>> 13)) >>> 0;
}
