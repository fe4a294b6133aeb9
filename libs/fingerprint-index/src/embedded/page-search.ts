/**
 * Last page whose first hash is below `hash`, or page 0: where the first posting of the hash can be.
 *
 * @param directory hash of the first posting of each page, ascending
 * @param from a page known to be at or before the answer; ascending hashes make the search short
 */
export function lastPageBefore(directory: Uint32Array, hash: number, from: number): number {
  let step = 1;
  let low = from;
  while (low + step < directory.length && directory[low + step] < hash) {
    low += step;
    step *= 2;
  }
  let high = Math.min(directory.length, low + step);
  // Invariant: directory[low] < hash (or low is `from`), directory[high] >= hash (or high is the end).
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (directory[middle] < hash) low = middle;
    else high = middle;
  }
  return low;
}
