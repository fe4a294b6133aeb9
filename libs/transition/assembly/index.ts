/**
 * Dot products of one row with many, 8-bit integers: exact in 32 bits for up to 130,000 dimensions.
 *
 * @param query address of `stride` int8 values, zero past the last dimension
 * @param rows address of `count` rows of `stride` int8 values
 * @param stride values a row, a multiple of 16
 * @param out address of `count` int32 values
 */
export function dots(query: usize, rows: usize, count: i32, stride: i32, out: usize): void {
  const bytes = <usize>stride;
  for (let row = 0; row < count; row++) {
    let sum = i32x4.splat(0);
    for (let at: usize = 0; at < bytes; at += 16) {
      const a = v128.load(rows + at);
      const b = v128.load(query + at);
      // Products are at most 127 * 127, so that the sum of two still fits into 16 bits.
      const pair = i16x8.add(i16x8.extmul_low_i8x16_s(a, b), i16x8.extmul_high_i8x16_s(a, b));
      sum = i32x4.add(sum, i32x4.extadd_pairwise_i16x8_s(pair));
    }
    store<i32>(
      out,
      i32x4.extract_lane(sum, 0) +
        i32x4.extract_lane(sum, 1) +
        i32x4.extract_lane(sum, 2) +
        i32x4.extract_lane(sum, 3),
    );
    rows += bytes;
    out += 4;
  }
}
