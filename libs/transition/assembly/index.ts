/** Bytes of int16 query values that meet 16 bytes of a row. */
const QUERY_STEP: usize = 32;

/** Dot product of a row with the query, 8-bit with 16-bit integers: exact in 32 bits for up to 130,000 dimensions. */
function dot(query: usize, row: usize, stride: usize): i32 {
  let low = i32x4.splat(0);
  let high = i32x4.splat(0);
  const end = row + stride;
  while (row < end) {
    low = i32x4.add(low, i32x4.dot_i16x8_s(v128.load_ext<i8>(row), v128.load(query)));
    high = i32x4.add(high, i32x4.dot_i16x8_s(v128.load_ext<i8>(row, 8), v128.load(query, 16)));
    row += 16;
    query += QUERY_STEP;
  }
  const sum = i32x4.add(low, high);
  return (
    i32x4.extract_lane(sum, 0) +
    i32x4.extract_lane(sum, 1) +
    i32x4.extract_lane(sum, 2) +
    i32x4.extract_lane(sum, 3)
  );
}

function inBands(tempo: f64, bands: usize, bandCount: i32): bool {
  for (let i = 0; i < bandCount; i++, bands += 16)
    if (tempo >= load<f64>(bands) && tempo <= load<f64>(bands, 8)) return true;
  return false;
}

/** Puts a row where `at` is in a heap of `size`, the least at its root, or deeper while one below is less. */
function sink(rows: usize, values: usize, size: i32, at: i32, row: i32, value: f32): void {
  for (;;) {
    let child = 2 * at + 1;
    if (child >= size) break;
    if (child + 1 < size && load<f32>(values + 4 * (child + 1)) < load<f32>(values + 4 * child)) child++;
    const least = load<f32>(values + 4 * child);
    if (least >= value) break;
    store<i32>(rows + 4 * at, load<i32>(rows + 4 * child));
    store<f32>(values + 4 * at, least);
    at = child;
  }
  store<i32>(rows + 4 * at, row);
  store<f32>(values + 4 * at, value);
}

/** Adds a row to a heap of `size`, which has room for it. */
function rise(rows: usize, values: usize, size: i32, row: i32, value: f32): void {
  let at = size;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const above = load<f32>(values + 4 * parent);
    if (above <= value) break;
    store<i32>(rows + 4 * at, load<i32>(rows + 4 * parent));
    store<f32>(values + 4 * at, above);
    at = parent;
  }
  store<i32>(rows + 4 * at, row);
  store<f32>(values + 4 * at, value);
}

/**
 * The rows most similar to a query among those that a filter admits.
 *
 * @param query address of `front + back` int16 values, zero past the last dimension
 * @param fronts address of the first `front` int8 values of each row, a multiple of 16
 * @param backs address of the other `back` int8 values of each row, a multiple of 16
 * @param backMost the most that values of a back can add to a similarity: rows that cannot come in are not read to their end
 * @param scales address of what a unit of each row's integers is worth, float32
 * @param places address of each row's place, int32; rows beyond `latest` do not count
 * @param tempos address of each row's tempo, float64, or NaN
 * @param bands address of `bandCount` pairs of lowest and highest tempo, float64; none: any tempo and none
 * @param ranges address of `rangeCount` pairs, int32: the first of some rows, and how many they are
 * @param most how many rows to find, at least 1
 * @param rows address for the numbers of the rows found, int32, in no order
 * @param values address for their similarities, float32: product times scale of the row
 * @returns how many were found
 */
export function nearest(
  query: usize,
  fronts: usize,
  front: i32,
  backs: usize,
  back: i32,
  backMost: f32,
  scales: usize,
  places: usize,
  latest: i32,
  tempos: usize,
  bands: usize,
  bandCount: i32,
  ranges: usize,
  rangeCount: i32,
  most: i32,
  rows: usize,
  values: usize,
): i32 {
  const frontBytes = <usize>front;
  const backBytes = <usize>back;
  const queryOfBack = query + 2 * frontBytes;
  let size = 0;
  for (let i = 0; i < rangeCount; i++, ranges += 8) {
    const first = load<i32>(ranges);
    const end = first + load<i32>(ranges, 4);
    for (let row = first; row < end; row++) {
      const at = <usize>row;
      if (load<i32>(places + 4 * at) > latest) continue;
      if (bandCount > 0 && !inBands(load<f64>(tempos + 8 * at), bands, bandCount)) continue;
      const scale = load<f32>(scales + 4 * at);
      let product = dot(query, fronts + at * frontBytes, frontBytes);
      if (size === most && <f32>product * scale + backMost <= load<f32>(values)) continue;
      product += dot(queryOfBack, backs + at * backBytes, backBytes);
      const value = <f32>product * scale;
      if (size < most) rise(rows, values, size++, row, value);
      else if (value > load<f32>(values)) sink(rows, values, size, 0, row, value);
    }
  }
  return size;
}
