// Mel bands of power spectra; the twin of JsMelKernel.

import { powerOfFour } from './fft';

let samples: usize = 0;
let hop: usize = 0;
let spectrum: usize = 0;
/** Bins of a spectrum, fftSize / 2 + 1. */
let bins: i32 = 0;
let bands: i32 = 0;
/** First bin and number of bins of each band, i32 pairs. */
let spans: usize = 0;
/** Weights of all bands one after the other. */
let weights: usize = 0;
/** True: bands are sums of amplitudes, not of powers. */
let amplitude: bool = false;
let output: usize = 0;

/** Settings of the mel front end; pointers are byte addresses, `_hop` is in bytes. */
export function setUpMel(
  _samples: usize,
  _hop: usize,
  _spectrum: usize,
  _bins: i32,
  _bands: i32,
  _spans: usize,
  _weights: usize,
  _amplitude: bool,
  _output: usize,
): void {
  samples = _samples;
  hop = _hop;
  spectrum = _spectrum;
  bins = _bins;
  bands = _bands;
  spans = _spans;
  weights = _weights;
  amplitude = _amplitude;
  output = _output;
}

/** Mel energies of `count` frames (worked on in fours), row-major [frames, bands]. */
export function melFrames(count: i32): void {
  const rowBytes = (<usize>bands) << 2;
  const end = spectrum + ((<usize>bins) << 4);
  for (let n = 0; n < count; n += 4) {
    powerOfFour(samples + <usize>n * hop, hop, spectrum);
    if (amplitude) {
      for (let p = spectrum; p < end; p += 16) v128.store(p, f32x4.sqrt(v128.load(p)));
    }
    let span = spans;
    let weight = weights;
    let target = output + <usize>n * rowBytes;
    for (let band = 0; band < bands; band++) {
      let cell = spectrum + ((<usize>load<i32>(span)) << 4);
      const stop = weight + ((<usize>load<i32>(span, 4)) << 2);
      span += 8;
      let sum = f32x4.splat(0);
      for (; weight < stop; weight += 4, cell += 16) {
        sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(weight), v128.load(cell)));
      }
      store<f32>(target, f32x4.extract_lane(sum, 0));
      store<f32>(target + rowBytes, f32x4.extract_lane(sum, 1));
      store<f32>(target + 2 * rowBytes, f32x4.extract_lane(sum, 2));
      store<f32>(target + 3 * rowBytes, f32x4.extract_lane(sum, 3));
      target += 4;
    }
  }
}
