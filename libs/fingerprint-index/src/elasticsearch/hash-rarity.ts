import { pairCells, tripleCells } from '@earmark/fingerprint';
import { rarityTables } from './hash-rarity.generated.js';

/** Keys from here on are pairs (`landmark-cells.ts` of the fingerprint library). */
const firstPair = 0x8000_0000;

/** Eighths of a bit that a cell's rarity is given in. */
type Table = Uint8Array;

const decode = (text: string): Table => new Uint8Array(Buffer.from(text, 'base64'));
const intervals = decode(rarityTables.intervals);
const ratioAndSpan = decode(rarityTables.ratioAndSpan);
const anchor = decode(rarityTables.anchor);
const pairBin = decode(rarityTables.pairBin);
const pairDifference = decode(rarityTables.pairDifference);
const pairFrames = decode(rarityTables.pairFrames);

/**
 * How rare a key is in music, in eighths of a bit: 80 is one landmark in 1,024 of its kind. Measured on free music, with
 * the dimensions of a cell taken as independent (`test/support/elasticsearch/make-hash-rarity.ts`); good for an order,
 * not for a count.
 */
export function rarityOf(key: number): number {
  if (key >= firstPair) {
    return pairBin[(key >>> 13) & 511] + pairDifference[(key >>> 6) & 127] + pairFrames[key & 63];
  }
  const [, second, ratios, anchors, spans] = tripleCells;
  const span = key % spans;
  let rest = (key - span) / spans;
  const anchorCell = rest % anchors;
  rest = (rest - anchorCell) / anchors;
  const ratio = rest % ratios;
  const both = Math.min(tripleCells[0] * second - 1, (rest - ratio) / ratios);
  return intervals[both] + ratioAndSpan[ratio * spans + span] + anchor[anchorCell];
}

/** Largest sum of a key's rarities. */
const mostRare = 3 * 255;

/**
 * The rarest keys, in their old order. A rare key is in few documents and says much; a common one is in many and says
 * little, so a limit on keys is best spent on rare ones.
 *
 * @param keys ascending
 */
export function rarestKeys(keys: Uint32Array, count: number): Uint32Array {
  if (keys.length <= count) return keys;
  const rarities = new Uint16Array(keys.length);
  const histogram = new Uint32Array(mostRare + 1);
  for (let i = 0; i < keys.length; i++) histogram[(rarities[i] = rarityOf(keys[i]))]++;
  let least = mostRare;
  let above = 0;
  while (above + histogram[least] < count) above += histogram[least--];
  let atLeast = count - above;
  let kept = 0;
  const rarest = new Uint32Array(count);
  for (let i = 0; i < keys.length; i++) {
    if (rarities[i] > least || (rarities[i] === least && atLeast-- > 0)) rarest[kept++] = keys[i];
  }
  return rarest;
}

/** Sizes that the tables must have for this fingerprint's cells. */
export const raritySizes = {
  intervals: tripleCells[0] * tripleCells[1],
  ratioAndSpan: tripleCells[2] * tripleCells[4],
  anchor: tripleCells[3],
  pairBin: pairCells[0],
  pairDifference: pairCells[1],
  pairFrames: pairCells[2],
} as const;
