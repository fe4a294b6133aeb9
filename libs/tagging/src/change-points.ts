/** How far around a place a change is looked for, and what it takes. */
export type ChangeScale = Readonly<{
  /** Most rows on either side that are compared. */
  reach: number;
  /** Least ratio of the scatter between both sides to the scatter within them. */
  minRatio: number;
}>;

/**
 * Finds where a stream of vectors changes for good.
 *
 * At each place the means of the rows before and after are compared: between-scatter over within-scatter, as the F statistic
 * of two groups, at every scale; a place counts as its best scale relative to what that asks for. Places where this is higher
 * than anywhere within `minSide`, and enough, are changes.
 *
 * @param rows vectors of unit length (zeros count as they are), row-major [count, size]
 * @param minSide least rows on either side, and between two changes
 * @returns first rows of what is new, ascending
 */
export function changePoints(
  rows: Float32Array,
  size: number,
  minSide: number,
  scales: readonly ChangeScale[],
): readonly number[] {
  const count = size === 0 ? 0 : rows.length / size;
  if (count < 2 * minSide) return [];
  const sums = prefixSums(rows, size);
  const squares = new Float64Array(count + 1);
  for (let k = 0; k < count; k++) {
    let square = 0;
    for (let i = k * size; i < (k + 1) * size; i++) square += rows[i] * rows[i];
    squares[k + 1] = squares[k] + square;
  }
  const strengths = new Float64Array(count + 1);
  for (let at = minSide; at + minSide <= count; at++) {
    for (const { reach, minRatio } of scales) {
      const ratio = ratioAt(sums, squares, size, Math.max(0, at - reach), at, Math.min(count, at + reach));
      strengths[at] = Math.max(strengths[at], ratio / minRatio);
    }
  }
  const found: number[] = [];
  for (let at = minSide; at + minSide <= count; at++) {
    if (strengths[at] < 1) continue;
    const around = strengths.subarray(Math.max(0, at - minSide + 1), at + minSide);
    const last = found.at(-1);
    if (around.every((strength) => strength <= strengths[at]) && (last === undefined || at - last >= minSide))
      found.push(at);
  }
  return found;
}

/** F statistic of the rows `from` to `at` against the rows `at` to `to`. */
function ratioAt(
  sums: Float64Array,
  squares: Float64Array,
  size: number,
  from: number,
  at: number,
  to: number,
): number {
  const [left, right] = [at - from, to - at];
  let between = 0;
  let leftMean = 0;
  let rightMean = 0;
  for (let i = 0; i < size; i++) {
    const a = (sums[at * size + i] - sums[from * size + i]) / left;
    const b = (sums[to * size + i] - sums[at * size + i]) / right;
    between += (a - b) ** 2;
    leftMean += a * a;
    rightMean += b * b;
  }
  const within = squares[to] - squares[from] - left * leftMean - right * rightMean;
  const scatter = Math.max(1e-9, within / Math.max(1, to - from - 2));
  return ((left * right) / (left + right)) * (between / scatter);
}

function prefixSums(rows: Float32Array, size: number): Float64Array {
  const sums = new Float64Array(rows.length + size);
  for (let i = 0; i < rows.length; i++) sums[i + size] = sums[i] + rows[i];
  return sums;
}
