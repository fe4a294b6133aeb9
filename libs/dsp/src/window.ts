import { requireInteger } from './option-error.js';

/**
 * Periodic Hann window, 0.5 - 0.5 cos(2 pi n / length): the form for spectral analysis (DFT-even).
 *
 * @param length window length in samples, at least 1
 * @returns `length` weights in 0..1
 */
export function hannWindow(length: number): Float32Array {
  requireInteger('length', length, 1, 1 << 24);
  const window = new Float32Array(length);
  for (let n = 0; n < length; n++) window[n] = 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / length);
  return window;
}

/**
 * Symmetric Kaiser window.
 *
 * @param length window length in samples, at least 1
 * @param beta shape, 0 (rectangle) and up; see {@link kaiserBeta}
 * @returns `length` weights in 0..1
 * @see J. F. Kaiser, "Nonrecursive digital filter design using the I0-sinh window function", ISCAS 1974
 */
export function kaiserWindow(length: number, beta: number): Float32Array {
  requireInteger('length', length, 1, 1 << 24);
  const window = new Float32Array(length);
  const centre = (length - 1) / 2;
  for (let n = 0; n < length; n++) {
    window[n] = kaiserWeight(centre === 0 ? 0 : (n - centre) / centre, beta);
  }
  return window;
}

/**
 * Kaiser window at one point.
 *
 * @param position place in the window, -1 (start) .. 1 (end); 0 outside that range
 * @param beta shape, see {@link kaiserBeta}
 */
export function kaiserWeight(position: number, beta: number): number {
  const inside = 1 - position * position;
  return inside < 0 ? 0 : besselI0(beta * Math.sqrt(inside)) / besselI0(beta);
}

/**
 * Kaiser shape for a wanted stop-band attenuation.
 *
 * @param attenuationDb attenuation in dB, positive
 */
export function kaiserBeta(attenuationDb: number): number {
  if (attenuationDb > 50) return 0.1102 * (attenuationDb - 8.7);
  if (attenuationDb < 21) return 0;
  return 0.5842 * (attenuationDb - 21) ** 0.4 + 0.07886 * (attenuationDb - 21);
}

/** Modified Bessel function of the first kind, order 0, by its power series (accurate to double precision). */
export function besselI0(x: number): number {
  const quarter = (x * x) / 4;
  let term = 1;
  let sum = 1;
  for (let k = 1; term > sum * 1e-17; k++) {
    term *= quarter / (k * k);
    sum += term;
  }
  return sum;
}
