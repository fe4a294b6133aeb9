/**
 * Dot products of one row with chosen ones, 8-bit integers: exact in 32 bits for up to 130,000 dimensions.
 *
 * @param query address of `stride` int16 values, zero past the last dimension
 * @param rows address of rows of `stride` int8 values
 * @param chosen address of `count` numbers of rows, int32
 * @param stride values a row, a multiple of 16
 * @param out address of `count` int32 values
 */
export function dots(query: usize, rows: usize, chosen: usize, count: i32, stride: i32, out: usize): void {
  const bytes = <usize>stride;
  for (let i = 0; i < count; i++) {
    const row = rows + <usize>load<i32>(chosen) * bytes;
    let low = i32x4.splat(0);
    let high = i32x4.splat(0);
    for (let at: usize = 0; at < bytes; at += 16) {
      const values = query + 2 * at;
      low = i32x4.add(low, i32x4.dot_i16x8_s(v128.load_ext<i8>(row + at), v128.load(values)));
      high = i32x4.add(high, i32x4.dot_i16x8_s(v128.load_ext<i8>(row + at, 8), v128.load(values, 16)));
    }
    const sum = i32x4.add(low, high);
    store<i32>(
      out,
      i32x4.extract_lane(sum, 0) +
        i32x4.extract_lane(sum, 1) +
        i32x4.extract_lane(sum, 2) +
        i32x4.extract_lane(sum, 3),
    );
    chosen += 4;
    out += 4;
  }
}
