/** Largest absolute value of `count` samples at `samples`. */
export function largestMagnitude(samples: usize, count: i32): f32 {
  const end = samples + ((<usize>count) << 2);
  let largest = f32x4.splat(0);
  for (; samples + 16 <= end; samples += 16) largest = f32x4.pmax(largest, f32x4.abs(v128.load(samples)));
  let result = max(
    max(f32x4.extract_lane(largest, 0), f32x4.extract_lane(largest, 1)),
    max(f32x4.extract_lane(largest, 2), f32x4.extract_lane(largest, 3)),
  );
  for (; samples < end; samples += 4) result = max(result, abs(load<f32>(samples)));
  return result;
}

/**
 * Sum of `channels` arrays of `count` samples, `stride` bytes apart, times `gain`; works on whole vectors, so the arrays
 * have room for a multiple of four samples.
 */
export function mixDown(
  samples: usize,
  channels: i32,
  stride: usize,
  count: i32,
  gain: f32,
  output: usize,
): void {
  const end = samples + ((<usize>count) << 2);
  const factor = f32x4.splat(gain);
  for (; samples < end; samples += 16, output += 16) {
    let sum = v128.load(samples);
    let channel = samples + stride;
    for (let c = 1; c < channels; c++, channel += stride) sum = f32x4.add(sum, v128.load(channel));
    v128.store(output, f32x4.mul(sum, factor));
  }
}
