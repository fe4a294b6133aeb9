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
  // Rows are searched as soon as their neighbours are there, while they are still in the cache.
  let found = 0;
  let next = from;
  for (let n = 0; n < count; n += 4) {
    powerOfFour(samples + <usize>n * hop, hop, spectrum);
    const row = <usize>(kept + n) * rowBytes;
    toRows(power + row);
    for (let f: usize = 0; f < 4; f++)
      runningMaximum(power + row + f * rowBytes, maximum + row + f * rowBytes);
    const ready = min(to, kept + min(n + 4, count) - frameRadius);
    for (; next < ready; next++) found = findInRow(next, kept + count, found);
  }
  for (; next < to; next++) found = findInRow(next, kept + count, found);
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
  const before = row > 0 ? own - rowBytes : own;
  const after = row + 1 < rows ? own + rowBytes : own;
  const firstRow = maximum + <usize>max(0, row - frameRadius) * rowBytes + skip;
  const lastRow = maximum + <usize>min(rows - 1, row + frameRadius) * rowBytes + skip;
  const floor = f32x4.splat(floorPower);
  const length = (<usize>(maxBin - minBin)) << 2;
  for (let at: usize = 0; at < length; at += 16) {
    const values = v128.load(cells + at);
    const around = f32x4.pmax(f32x4.pmax(v128.load(own + at), v128.load(before + at)), v128.load(after + at));
    let loud = v128.and(f32x4.ge(values, around), f32x4.ge(values, floor));
    if (!v128.any_true(loud)) continue;
    for (let near = firstRow; near <= lastRow; near += rowBytes) {
      loud = v128.and(loud, f32x4.ge(values, v128.load(near + at)));
    }
    for (let mask = i32x4.bitmask(loud); mask; mask &= mask - 1) {
      const bin = minBin + <i32>(at >> 2) + ctz(mask);
      if (bin < maxBin && isFirst(row, bin)) {
        report(row, rows, bin, found);
        found++;
      }
    }
  }
  return found;
}

/** Whether no earlier cell of the neighbourhood equals this one: of a plateau only the first is a peak. */
function isFirst(row: i32, bin: i32): bool {
  const radius = (<usize>binRadius) << 2;
  const own = power + <usize>row * rowBytes + ((<usize>(bin - firstBin)) << 2);
  const value = load<f32>(own);
  let column = power + <usize>max(0, row - frameRadius) * rowBytes + ((<usize>(bin - firstBin)) << 2);
  for (; column < own; column += rowBytes) {
    for (let cell = column - radius; cell <= column + radius; cell += 4) {
      if (load<f32>(cell) == value) return false;
    }
  }
  for (let cell = own - radius; cell < own; cell += 4) if (load<f32>(cell) == value) return false;
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
