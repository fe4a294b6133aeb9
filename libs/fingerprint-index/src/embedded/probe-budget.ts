import type { ProbeList } from './hits.js';
import { lastPageBefore } from './page-search.js';

/** What is known of a segment without reading its pages: the key that each page starts with, and its postings. */
export type PageDirectory = Readonly<{ firstHashes: Uint32Array; postings: number }>;

/** What looking one hash up in one segment costs, in postings read. */
const probeCost = 8;
/** Classes of estimated postings: eight per doubling. */
const classesPerOctave = 8;
const classes = 256;
/** Estimates below this many postings are one class. */
const leastEstimate = 2 ** -8;

/**
 * Leaves out the hashes that occur most, so that a query reads about `budget` postings at most: every hash of a query is
 * about as likely to be a true one, but a rare one costs little and is hardly ever met by chance. How often a hash
 * occurs is estimated from the directories: pages hold about as many postings each, so where few hashes share a page,
 * or one fills several, it is frequent.
 *
 * @returns the probes themselves where the budget suffices
 */
export function limitProbes(
  probes: ProbeList,
  directories: readonly PageDirectory[],
  budget: number,
): ProbeList {
  const { hashes, entries, count } = probes;
  const estimates = new Float32Array(count);
  for (const directory of directories) addEstimates(estimates, directory, hashes);
  let total = 0;
  for (let i = 0; i < count; i++) total += estimates[i];
  const fixed = probeCost * directories.length;
  if (total + fixed * count <= budget) return probes;
  const classOf = new Uint8Array(count);
  const costs = new Float64Array(classes);
  for (let i = 0; i < count; i++) {
    const octaves = Math.log2(Math.max(leastEstimate, estimates[i]) / leastEstimate);
    classOf[i] = Math.min(classes - 1, octaves * classesPerOctave);
    costs[classOf[i]] += estimates[i] + fixed;
  }
  // Of each class this share is taken: all of the rare ones, part of one, none of the frequent ones.
  const shares = new Float64Array(classes);
  let left = budget;
  for (let c = 0; c < classes && left > 0; c++) {
    if (costs[c] === 0) continue;
    shares[c] = Math.min(1, left / costs[c]);
    left -= costs[c];
  }
  const keptHashes = new Uint32Array(count);
  const keptEntries = new Uint32Array(count);
  let kept = 0;
  let due = 0;
  for (let i = 0; i < count; i++) {
    const share = shares[classOf[i]];
    if (share < 1) {
      due += share;
      if (due < 1) continue;
      due -= 1;
    }
    keptHashes[kept] = hashes[i];
    keptEntries[kept++] = entries[i];
  }
  return { hashes: keptHashes.subarray(0, kept), entries: keptEntries.subarray(0, kept), count: kept };
}

/** Adds to each hash's estimate the postings that a segment probably holds of it. */
function addEstimates(
  estimates: Float32Array,
  { firstHashes, postings }: PageDirectory,
  hashes: Uint32Array,
): void {
  const pages = firstHashes.length;
  if (pages === 0) return;
  const perPage = postings / pages;
  let page = 0;
  for (let i = 0; i < estimates.length; i++) {
    const hash = hashes[i];
    if (i > 0 && hash === hashes[i - 1]) {
      estimates[i] = estimates[i - 1];
      continue;
    }
    page = lastPageBefore(firstHashes, hash, page);
    let last = page;
    while (last + 1 < pages && firstHashes[last + 1] <= hash) last++;
    if (last > page) {
      estimates[i] += perPage * (last - page);
      continue;
    }
    const next = page + 1 < pages ? firstHashes[page + 1] : 2 ** 32;
    estimates[i] += perPage / Math.max(1, next - firstHashes[page]);
  }
}
