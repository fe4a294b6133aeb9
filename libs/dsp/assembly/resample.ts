/**
 * Consecutive outputs of one polyphase stage; the twin of JsPolyphaseKernel.run. All pointers are byte addresses.
 */
export function resample(
  input: usize,
  start: i32,
  phase: i32,
  count: i32,
  output: usize,
  coefficients: usize,
  phases: i32,
  step: i32,
  taps: i32,
  tablePhases: i32,
): void {
  let at = input + ((<usize>start) << 2);
  const rowBytes = (<usize>taps) << 2;
  const end = output + ((<usize>count) << 2);
  if (phases == 1) {
    output = decimate(at, end, output, coefficients, (<usize>step) << 2, rowBytes);
    return;
  }
  const whole = step / phases;
  const part = step - whole * phases;
  if (tablePhases == phases) {
    // Four outputs at once: their additions do not wait for one another.
    for (; output + 16 <= end; output += 16) {
      const at0 = at;
      const row0 = coefficients + <usize>phase * rowBytes;
      phase += part;
      at += (<usize>(whole + <i32>(phase >= phases))) << 2;
      phase -= phase >= phases ? phases : 0;
      const at1 = at;
      const row1 = coefficients + <usize>phase * rowBytes;
      phase += part;
      at += (<usize>(whole + <i32>(phase >= phases))) << 2;
      phase -= phase >= phases ? phases : 0;
      const at2 = at;
      const row2 = coefficients + <usize>phase * rowBytes;
      phase += part;
      at += (<usize>(whole + <i32>(phase >= phases))) << 2;
      phase -= phase >= phases ? phases : 0;
      const at3 = at;
      const row3 = coefficients + <usize>phase * rowBytes;
      phase += part;
      at += (<usize>(whole + <i32>(phase >= phases))) << 2;
      phase -= phase >= phases ? phases : 0;
      let sum0 = f32x4.splat(0);
      let sum1 = sum0;
      let sum2 = sum0;
      let sum3 = sum0;
      for (let k: usize = 0; k < rowBytes; k += 16) {
        sum0 = f32x4.add(sum0, f32x4.mul(v128.load(row0 + k), v128.load(at0 + k)));
        sum1 = f32x4.add(sum1, f32x4.mul(v128.load(row1 + k), v128.load(at1 + k)));
        sum2 = f32x4.add(sum2, f32x4.mul(v128.load(row2 + k), v128.load(at2 + k)));
        sum3 = f32x4.add(sum3, f32x4.mul(v128.load(row3 + k), v128.load(at3 + k)));
      }
      v128.store(output, sums(sum0, sum1, sum2, sum3));
    }
  }
  for (; output < end; output += 4) {
    store<f32>(
      output,
      tablePhases == phases
        ? dot(at, coefficients + <usize>phase * rowBytes, rowBytes)
        : interpolatedDot(at, phase, phases, tablePhases, coefficients, rowBytes),
    );
    phase += part;
    at += (<usize>(whole + <i32>(phase >= phases))) << 2;
    phase -= phase >= phases ? phases : 0;
  }
}

/** Sum of products with a row between the two of a thinned-out table that are next to `phase`. */
function interpolatedDot(
  at: usize,
  phase: i32,
  phases: i32,
  tablePhases: i32,
  coefficients: usize,
  rowBytes: usize,
): f32 {
  const place = <i64>phase * <i64>tablePhases;
  const row = <i32>(place / <i64>phases);
  const fraction = <f32>(<f64>(place - <i64>row * <i64>phases) / <f64>phases);
  const low = dot(at, coefficients + <usize>row * rowBytes, rowBytes);
  const high = dot(at, coefficients + <usize>(row + 1) * rowBytes, rowBytes);
  return low + fraction * (high - low);
}

/** One row for all outputs: eight outputs share the loads of the coefficients. */
function decimate(at: usize, end: usize, output: usize, row: usize, stride: usize, rowBytes: usize): usize {
  const rowEnd = row + rowBytes;
  while (output + 32 <= end) {
    let sum0 = f32x4.splat(0);
    let sum1 = sum0;
    let sum2 = sum0;
    let sum3 = sum0;
    let sum4 = sum0;
    let sum5 = sum0;
    let sum6 = sum0;
    let sum7 = sum0;
    let p = at;
    const at3 = stride * 3;
    for (let r = row; r < rowEnd; r += 16) {
      const weights = v128.load(r);
      const q = p + 4 * stride;
      sum0 = f32x4.add(sum0, f32x4.mul(weights, v128.load(p)));
      sum1 = f32x4.add(sum1, f32x4.mul(weights, v128.load(p + stride)));
      sum2 = f32x4.add(sum2, f32x4.mul(weights, v128.load(p + 2 * stride)));
      sum3 = f32x4.add(sum3, f32x4.mul(weights, v128.load(p + at3)));
      sum4 = f32x4.add(sum4, f32x4.mul(weights, v128.load(q)));
      sum5 = f32x4.add(sum5, f32x4.mul(weights, v128.load(q + stride)));
      sum6 = f32x4.add(sum6, f32x4.mul(weights, v128.load(q + 2 * stride)));
      sum7 = f32x4.add(sum7, f32x4.mul(weights, v128.load(q + at3)));
      p += 16;
    }
    v128.store(output, sums(sum0, sum1, sum2, sum3));
    v128.store(output + 16, sums(sum4, sum5, sum6, sum7));
    at += 8 * stride;
    output += 32;
  }
  for (; output < end; output += 4, at += stride) store<f32>(output, dot(at, row, rowBytes));
  return output;
}

/** Sum of products over `rowBytes` bytes, in four partial sums. */
function dot(at: usize, row: usize, rowBytes: usize): f32 {
  let sum = f32x4.splat(0);
  for (const end = row + rowBytes; row < end; row += 16, at += 16) {
    sum = f32x4.add(sum, f32x4.mul(v128.load(row), v128.load(at)));
  }
  return (
    f32x4.extract_lane(sum, 0) +
    f32x4.extract_lane(sum, 2) +
    (f32x4.extract_lane(sum, 1) + f32x4.extract_lane(sum, 3))
  );
}

/** The four horizontal sums (lane 0 + lane 2) + (lane 1 + lane 3) of four vectors. */
function sums(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
  const abHigh = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
  const cd = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
  const cdHigh = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
  const abSum = f32x4.add(ab, abHigh);
  const cdSum = f32x4.add(cd, cdHigh);
  return f32x4.add(v128.shuffle<i64>(abSum, cdSum, 0, 2), v128.shuffle<i64>(abSum, cdSum, 1, 3));
}
