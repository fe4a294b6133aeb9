// Real FFT of four frames at once, one a lane; the twin of JsPowerSpectrum, operation by operation.

let size: i32 = 0;
let window: usize = 0;
let windowSamples: i32 = 0;
let work: usize = 0;
let twiddles: usize = 0;
let places: usize = 0;
let splits: usize = 0;

/**
 * Settings of the transform.
 *
 * @param _size number of real values N
 * @param _window weights, f32[windowSamples]
 * @param _windowSamples multiple of four, at most N
 * @param _work scratch, 16 N bytes
 * @param _twiddles FftPlan.twiddles
 * @param _places FftPlan.places
 * @param _splits FftPlan.splits
 */
export function setUpFft(
  _size: i32,
  _window: usize,
  _windowSamples: i32,
  _work: usize,
  _twiddles: usize,
  _places: usize,
  _splits: usize,
): void {
  size = _size;
  window = _window;
  windowSamples = _windowSamples;
  work = _work;
  twiddles = _twiddles;
  places = _places;
  splits = _splits;
}

/**
 * 4 |X|^2 of four frames that start `hop` bytes apart, as [size / 2 + 1] vectors of four frames.
 */
export function powerOfFour(samples: usize, hop: usize, power: usize): void {
  loadFrames(samples, hop);
  let span = size >> 1;
  let table = twiddles;
  if (ctz(span) & 1) {
    radix2(span, table);
    table += (<usize>span) << 2;
    span >>= 1;
  }
  for (; span > 4; span >>= 2) {
    radix4(span, table);
    table += 24 * <usize>(span >> 2);
  }
  lastRadix4();
  split(power);
}

function loadFrames(samples: usize, hop: usize): void {
  const end = window + ((<usize>windowSamples) << 2);
  let target = work;
  const hop3 = hop * 3;
  for (let w = window; w < end; w += 16) {
    const weights = v128.load(w);
    const a = f32x4.mul(weights, v128.load(samples));
    const b = f32x4.mul(weights, v128.load(samples + hop));
    const c = f32x4.mul(weights, v128.load(samples + 2 * hop));
    const d = f32x4.mul(weights, v128.load(samples + hop3));
    const ab = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
    const cd = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
    const abHigh = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
    const cdHigh = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
    v128.store(target, v128.shuffle<i64>(ab, cd, 0, 2));
    v128.store(target, v128.shuffle<i64>(ab, cd, 1, 3), 16);
    v128.store(target, v128.shuffle<i64>(abHigh, cdHigh, 0, 2), 32);
    v128.store(target, v128.shuffle<i64>(abHigh, cdHigh, 1, 3), 48);
    samples += 16;
    target += 64;
  }
  const workEnd = work + ((<usize>size) << 4);
  const zero = f32x4.splat(0);
  for (; target < workEnd; target += 16) v128.store(target, zero);
}

function radix2(span: i32, table: usize): void {
  const far = (<usize>span) << 4;
  const end = work + far;
  for (let a = work; a < end; a += 32) {
    const b = a + far;
    const wr = v128.load32_splat(table);
    const wi = v128.load32_splat(table, 4);
    const aRe = v128.load(a);
    const aIm = v128.load(a, 16);
    const bRe = v128.load(b);
    const bIm = v128.load(b, 16);
    const re = f32x4.sub(aRe, bRe);
    const im = f32x4.sub(aIm, bIm);
    v128.store(a, f32x4.add(aRe, bRe));
    v128.store(a, f32x4.add(aIm, bIm), 16);
    v128.store(b, f32x4.sub(f32x4.mul(re, wr), f32x4.mul(im, wi)));
    v128.store(b, f32x4.add(f32x4.mul(re, wi), f32x4.mul(im, wr)), 16);
    table += 8;
  }
}

function radix4(span: i32, table: usize): void {
  const far = (<usize>span) << 3;
  const jump = (<usize>span) << 5;
  const end = work + ((<usize>size) << 4);
  const columns = work + far;
  for (let column = work; column < columns; column += 32) {
    const w1r = v128.load32_splat(table);
    const w1i = v128.load32_splat(table, 4);
    const w2r = v128.load32_splat(table, 8);
    const w2i = v128.load32_splat(table, 12);
    const w3r = v128.load32_splat(table, 16);
    const w3i = v128.load32_splat(table, 20);
    table += 24;
    for (let a = column; a < end; a += jump) {
      const b = a + far;
      const c = b + far;
      const d = c + far;
      const aRe = v128.load(a);
      const cRe = v128.load(c);
      const bRe = v128.load(b);
      const dRe = v128.load(d);
      const sumAcRe = f32x4.add(aRe, cRe);
      const difAcRe = f32x4.sub(aRe, cRe);
      const sumBdRe = f32x4.add(bRe, dRe);
      const difBdRe = f32x4.sub(bRe, dRe);
      const aIm = v128.load(a, 16);
      const cIm = v128.load(c, 16);
      const bIm = v128.load(b, 16);
      const dIm = v128.load(d, 16);
      const sumAcIm = f32x4.add(aIm, cIm);
      const difAcIm = f32x4.sub(aIm, cIm);
      const sumBdIm = f32x4.add(bIm, dIm);
      const difBdIm = f32x4.sub(bIm, dIm);
      v128.store(a, f32x4.add(sumAcRe, sumBdRe));
      v128.store(a, f32x4.add(sumAcIm, sumBdIm), 16);
      const re1 = f32x4.add(difAcRe, difBdIm);
      const im1 = f32x4.sub(difAcIm, difBdRe);
      v128.store(b, f32x4.sub(f32x4.mul(re1, w1r), f32x4.mul(im1, w1i)));
      v128.store(b, f32x4.add(f32x4.mul(re1, w1i), f32x4.mul(im1, w1r)), 16);
      const re2 = f32x4.sub(sumAcRe, sumBdRe);
      const im2 = f32x4.sub(sumAcIm, sumBdIm);
      v128.store(c, f32x4.sub(f32x4.mul(re2, w2r), f32x4.mul(im2, w2i)));
      v128.store(c, f32x4.add(f32x4.mul(re2, w2i), f32x4.mul(im2, w2r)), 16);
      const re3 = f32x4.sub(difAcRe, difBdIm);
      const im3 = f32x4.add(difAcIm, difBdRe);
      v128.store(d, f32x4.sub(f32x4.mul(re3, w3r), f32x4.mul(im3, w3i)));
      v128.store(d, f32x4.add(f32x4.mul(re3, w3i), f32x4.mul(im3, w3r)), 16);
    }
  }
}

/** The last pass has only the twiddle factor 1. */
function lastRadix4(): void {
  const end = work + ((<usize>size) << 4);
  for (let a = work; a < end; a += 128) {
    const aRe = v128.load(a);
    const bRe = v128.load(a, 32);
    const cRe = v128.load(a, 64);
    const dRe = v128.load(a, 96);
    const sumAcRe = f32x4.add(aRe, cRe);
    const difAcRe = f32x4.sub(aRe, cRe);
    const sumBdRe = f32x4.add(bRe, dRe);
    const difBdRe = f32x4.sub(bRe, dRe);
    const aIm = v128.load(a, 16);
    const bIm = v128.load(a, 48);
    const cIm = v128.load(a, 80);
    const dIm = v128.load(a, 112);
    const sumAcIm = f32x4.add(aIm, cIm);
    const difAcIm = f32x4.sub(aIm, cIm);
    const sumBdIm = f32x4.add(bIm, dIm);
    const difBdIm = f32x4.sub(bIm, dIm);
    v128.store(a, f32x4.add(sumAcRe, sumBdRe));
    v128.store(a, f32x4.add(sumAcIm, sumBdIm), 16);
    v128.store(a, f32x4.add(difAcRe, difBdIm), 32);
    v128.store(a, f32x4.sub(difAcIm, difBdRe), 48);
    v128.store(a, f32x4.sub(sumAcRe, sumBdRe), 64);
    v128.store(a, f32x4.sub(sumAcIm, sumBdIm), 80);
    v128.store(a, f32x4.sub(difAcRe, difBdIm), 96);
    v128.store(a, f32x4.add(difAcIm, difBdRe), 112);
  }
}

/** Takes the spectrum of real values apart and squares it. */
function split(power: usize): void {
  const half = size >> 1;
  let weight = splits;
  let low = power;
  let high = power + ((<usize>half) << 4);
  let mirror = places;
  const end = places + ((<usize>half) << 1);
  for (let place = places; place <= end; place += 4) {
    const a = work + ((<usize>load<u32>(place)) << 5);
    const b = work + ((<usize>load<u32>(mirror)) << 5);
    const aRe = v128.load(a);
    const aIm = v128.load(a, 16);
    const bRe = v128.load(b);
    const bIm = v128.load(b, 16);
    const evenRe = f32x4.add(aRe, bRe);
    const evenIm = f32x4.sub(aIm, bIm);
    const oddRe = f32x4.add(aIm, bIm);
    const oddIm = f32x4.sub(bRe, aRe);
    const wr = v128.load32_splat(weight);
    const wi = v128.load32_splat(weight, 4);
    const re = f32x4.sub(f32x4.mul(wr, oddRe), f32x4.mul(wi, oddIm));
    const im = f32x4.add(f32x4.mul(wr, oddIm), f32x4.mul(wi, oddRe));
    const lowRe = f32x4.add(evenRe, re);
    const lowIm = f32x4.add(evenIm, im);
    const highRe = f32x4.sub(evenRe, re);
    const highIm = f32x4.sub(evenIm, im);
    v128.store(low, f32x4.add(f32x4.mul(lowRe, lowRe), f32x4.mul(lowIm, lowIm)));
    v128.store(high, f32x4.add(f32x4.mul(highRe, highRe), f32x4.mul(highIm, highIm)));
    mirror = place == places ? places + ((<usize>(half - 1)) << 2) : mirror - 4;
    weight += 8;
    low += 16;
    high -= 16;
  }
}
