// Peaks of a power spectrogram; the twin of JsPeakKernel. Rows hold the bins from `firstBin` on, with room on both sides
// for the neighbours of the first and the last bin that may hold a peak.

import { powerOfFour } from './fft';

let samples: usize = 0;
let hop: usize = 0;
/** Vectors of four frames, [guard + size / 2 + 1 + guard]; points at bin 0, the guards are zero. */
let spectrum: usize = 0;
/** Powers and running maxima, row-major [rows, width]. */
let power: usize = 0;
let maximum: usize = 0;
/** One row of scratch. */
let scratch: usize = 0;
let rowBytes: usize = 0;
let firstBin: i32 = 0;
let minBin: i32 = 0;
let maxBin: i32 = 0;
let binRadius: i32 = 0;
let frameRadius: i32 = 0;
let floorPower: f32 = 0;
let frames: usize = 0;
let bins: usize = 0;
let powers: usize = 0;

/**
 * Settings of the peak finder; pointers are byte addresses.
 *
 * @param _hop bytes from frame to frame
 * @param _width columns of a row, a multiple of four
 * @param _firstBin bin of column 0, may be negative; minBin - firstBin is a multiple of four
 */
export function setUpPeaks(
  _samples: usize,
  _hop: usize,
  _spectrum: usize,
  _power: usize,
  _maximum: usize,
  _scratch: usize,
  _width: i32,
  _firstBin: i32,
  _minBin: i32,
  _maxBin: i32,
  _binRadius: i32,
  _frameRadius: i32,
  _floorPower: f32,
  _frames: usize,
  _bins: usize,
  _powers: usize,
): void {
  samples = _samples;
  hop = _hop;
  spectrum = _spectrum;
  power = _power;
  maximum = _maximum;
  scratch = _scratch;
  rowBytes = (<usize>_width) << 2;
  firstBin = _firstBin;
  minBin = _minBin;
  maxBin = _maxBin;
  binRadius = _binRadius;
  frameRadius = _frameRadius;
  floorPower = _floorPower;
  frames = _frames;
  bins = _bins;
  powers = _powers;
}

/**
 * Drops `drop` rows, transforms `count` frames after the `rows` that are held, then looks for peaks in the rows `from`
 * to `to` (exclusive; counted after the drop).
 *
 * @returns number of peaks; `frames` holds rows, not frames of the stream
 */
export function findPeaks(rows: i32, drop: i32, count: i32, from: i32, to: i32): i32 {
  const kept = rows - drop;
  if (drop > 0 && kept > 0) {
    memory.copy(power, power + <usize>drop * rowBytes, <usize>kept * rowBytes);
    memory.copy(maximum, maximum + <usize>drop * rowBytes, <usize>kept * rowBytes);
  }
  for (let n = 0; n < count; n += 4) {
    powerOfFour(samples + <usize>n * hop, hop, spectrum);
    const row = <usize>(kept + n) * rowBytes;
    toRows(power + row);
    for (let f: usize = 0; f < 4; f++)
      runningMaximum(power + row + f * rowBytes, maximum + row + f * rowBytes);
  }
  let found = 0;
  for (let row = from; row < to; row++) found = findInRow(row, kept + count, found);
  return found;
}

/** Turns vectors of four frames into four rows. */
function toRows(row: usize): void {
  let source = spectrum + <usize>(firstBin << 4);
  const end = row + rowBytes;
  for (; row < end; row += 16, source += 64) {
    const a = v128.load(source);
    const b = v128.load(source, 16);
    const c = v128.load(source, 32);
    const d = v128.load(source, 48);
    const ab = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
    const cd = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
    const abHigh = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
    const cdHigh = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
    let target = row;
    v128.store(target, v128.shuffle<i64>(ab, cd, 0, 2));
    target += rowBytes;
    v128.store(target, v128.shuffle<i64>(ab, cd, 1, 3));
    target += rowBytes;
    v128.store(target, v128.shuffle<i64>(abHigh, cdHigh, 0, 2));
    target += rowBytes;
    v128.store(target, v128.shuffle<i64>(abHigh, cdHigh, 1, 3));
  }
}

/** Largest value within `binRadius` of each bin that may hold a peak, by doubling the reach in place. */
function runningMaximum(row: usize, target: usize): void {
  const first = (<usize>(minBin - firstBin - binRadius)) << 2;
  const reach = (binRadius << 1) + 1;
  const length = (<usize>(maxBin - minBin)) << 2;
  let source = row + first;
  let covered = 1;
  while (covered << 1 <= reach) {
    const ahead = (<usize>covered) << 2;
    const end = source + length + ((<usize>(reach - (covered << 1))) << 2);
    let out = scratch;
    for (let p = source; p < end; p += 16, out += 16) {
      v128.store(out, f32x4.pmax(v128.load(p), v128.load(p + ahead)));
    }
    source = scratch;
    covered <<= 1;
  }
  const ahead = (<usize>(reach - covered)) << 2;
  const end = source + length;
  target += (<usize>(minBin - firstBin)) << 2;
  for (let p = source; p < end; p += 16, target += 16) {
    v128.store(target, f32x4.pmax(v128.load(p), v128.load(p + ahead)));
  }
}

function findInRow(row: i32, rows: i32, found: i32): i32 {
  const skip = (<usize>(minBin - firstBin)) << 2;
  const cells = power + <usize>row * rowBytes + skip;
  const own = maximum + <usize>row * rowBytes + skip;
  const before = row > 0 && frameRadius > 0 ? own - rowBytes : own;
  const after = row + 1 < rows && frameRadius > 0 ? own + rowBytes : own;
  const floor = f32x4.splat(floorPower);
  const length = (<usize>(maxBin - minBin)) << 2;
  for (let at: usize = 0; at < length; at += 16) {
    const values = v128.load(cells + at);
    const around = f32x4.pmax(f32x4.pmax(v128.load(own + at), v128.load(before + at)), v128.load(after + at));
    let mask = i32x4.bitmask(v128.and(f32x4.ge(values, around), f32x4.ge(values, floor)));
    while (mask) {
      const bin = minBin + <i32>(at >> 2) + ctz(mask);
      mask &= mask - 1;
      if (bin < maxBin && isPeak(row, rows, bin)) {
        report(row, rows, bin, found);
        found++;
      }
    }
  }
  return found;
}

function isPeak(row: i32, rows: i32, bin: i32): bool {
  const column = (<usize>(bin - firstBin)) << 2;
  const value = load<f32>(power + <usize>row * rowBytes + column);
  const from = max(0, row - frameRadius);
  const to = min(rows - 1, row + frameRadius);
  for (let r = from; r <= to; r++) {
    if (load<f32>(maximum + <usize>r * rowBytes + column) > value) return false;
  }
  // Of equal cells only the first is a peak.
  for (let r = from; r <= row; r++) {
    let cell = power + <usize>r * rowBytes + column - ((<usize>binRadius) << 2);
    const end = power + <usize>r * rowBytes + column + (r < row ? ((<usize>binRadius) << 2) + 4 : 0);
    for (; cell < end; cell += 4) if (load<f32>(cell) == value) return false;
  }
  return true;
}

function report(row: i32, rows: i32, bin: i32, found: i32): void {
  const cell = power + <usize>row * rowBytes + ((<usize>(bin - firstBin)) << 2);
  store<i32>(frames + ((<usize>found) << 2), row);
  store<i32>(bins + ((<usize>found) << 2), bin);
  const target = powers + 20 * <usize>found;
  store<f32>(target, load<f32>(cell));
  store<f32>(target, load<f32>(cell - 4), 4);
  store<f32>(target, load<f32>(cell + 4), 8);
  store<f32>(target, row > 0 ? load<f32>(cell - rowBytes) : -1, 12);
  store<f32>(target, row + 1 < rows ? load<f32>(cell + rowBytes) : -1, 16);
}
