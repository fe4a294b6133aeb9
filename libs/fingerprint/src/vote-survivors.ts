import { crowdBits, crowds, SurpriseLevels } from './vote-cells.js';
import type { PairHits, TripleHits } from './vote-hits.js';

/** Largest number of hits that take part in the exact count. */
const mostSurvivors = 6000;
/** Hits, those with the highest counts, whose counts are compared with what chance gives around them. */
const mostWeighed = 200_000;
const mostKept = 1 << 18;
/** Least level at which a hit survives. */
const leastLevel = 2;
/** Sizes of the table of counts, as powers of two: it is to have four places for each hit. */
const tableBits = { least: 16, most: 24 } as const;

const pairLevels = new SurpriseLevels('pair');
const tripleLevels = new SurpriseLevels('triple');

// Buffers of this thread: used from start to end of one call only.
let counts = new Uint8Array(1 << tableBits.least);
let best = new Uint8Array(1024);
const crowdOf = new Uint32Array(crowds);
const histogram = new Uint32Array(256);

/** Hits that share a surprising cell with others, and for each how many hits the stretch of the axis around it has. */
export type Survivors = Readonly<{ hits: Uint32Array; crowds: Uint32Array }>;

/** Hits of pairs whose place, or one with the frame beside it, has surprisingly many. */
export function pairSurvivors({ places, length }: PairHits): Survivors {
  const mask = prepare(length);
  for (let i = 0; i < length; i++) {
    const at = places[i] & mask;
    if (counts[at] < 127) counts[at]++;
  }
  for (let i = 0; i < length; i++) {
    const at = places[i] & mask;
    const before = counts[(at - 1) & mask];
    const after = counts[(at + 1) & mask];
    best[i] = counts[at] + (before > after ? before : after);
  }
  return select(places, length, pairLevels);
}

/** Hits of triples whose cell, in the better of two grids shifted by half a cell, has surprisingly many. */
export function tripleSurvivors({ places, cells, length }: TripleHits): Survivors {
  const mask = prepare(length);
  const [first, second] = cells;
  for (let i = 0; i < length; i++) {
    const at = first[i] & mask;
    if (counts[at] < 255) counts[at]++;
  }
  for (let i = 0; i < length; i++) best[i] = counts[first[i] & mask];
  counts.fill(0, 0, mask + 1);
  for (let i = 0; i < length; i++) {
    const at = second[i] & mask;
    if (counts[at] < 255) counts[at]++;
  }
  for (let i = 0; i < length; i++) {
    const count = counts[second[i] & mask];
    if (count > best[i]) best[i] = count;
  }
  return select(places, length, tripleLevels);
}

/** Empties a table that suits so many hits, and gives the mask of its places. */
function prepare(length: number): number {
  const bits = Math.min(tableBits.most, Math.max(tableBits.least, 32 - Math.clz32(length) + 1));
  if (counts.length < 1 << bits) counts = new Uint8Array(1 << bits);
  else counts.fill(0, 0, 1 << bits);
  if (best.length < length) best = new Uint8Array(2 ** Math.ceil(Math.log2(length)));
  return (1 << bits) - 1;
}

/** Least count of those that are weighed by the crowd around them, out of the histogram of counts. */
function leastCount(): number {
  let count = 255;
  let kept = histogram[255];
  while (count > 2 && kept + histogram[count - 1] <= mostWeighed) kept += histogram[--count];
  return count;
}

/** The hits with the most surprising counts in `best`: as many whole levels as stay below the limit. */
function select(places: Uint32Array, length: number, { startOfCrowd, levels }: SurpriseLevels): Survivors {
  crowdOf.fill(0);
  histogram.fill(0);
  for (let i = 0; i < length; i++) {
    crowdOf[(places[i] >>> crowdBits) & (crowds - 1)]++;
    histogram[best[i]]++;
  }
  const least = leastCount();
  histogram.fill(0);
  for (let i = 0; i < length; i++) {
    const count = best[i];
    if (count < least) {
      best[i] = 0;
      continue;
    }
    const crowd = crowdOf[(places[i] >>> crowdBits) & (crowds - 1)];
    const level = levels[startOfCrowd[crowd < 65_535 ? crowd : 65_535] + count];
    best[i] = level;
    histogram[level]++;
  }
  let threshold = 256;
  let kept = 0;
  while (threshold > leastLevel && (threshold > 255 || kept + histogram[threshold - 1] <= mostSurvivors))
    kept += histogram[--threshold];
  // A whole level may hold more: a catalog that has one track thousands of times.
  const hits = new Uint32Array(Math.min(kept, mostKept));
  for (let i = 0, at = 0; i < length && at < hits.length; i++) if (best[i] >= threshold) hits[at++] = i;
  return { hits, crowds: hits.map((i) => crowdOf[(places[i] >>> crowdBits) & (crowds - 1)]) };
}
