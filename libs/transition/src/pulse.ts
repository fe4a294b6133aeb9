import { atLag, autocorrelation } from './autocorrelation.js';

/** Values of a pulse. */
export const pulseSize = 96;

const shortestLagSeconds = 0.256;
const octaves = 3;
/** Points that a pulse may be shifted by: a tempo 6.6 % higher or lower. {@link meetingOfPulses} is written out for it. */
const reach = 3;

/**
 * Describes the pulse of an envelope: its autocorrelation at lags from 0.256 to 2.04 s on a logarithmic axis, where another
 * tempo is a shift, mean removed, unit length (0 throughout where nothing moves).
 *
 * @param envelope onset strength
 * @param rateHz its frames per second
 * @param out receives {@link pulseSize} values
 */
export function describePulse(envelope: Float64Array, rateHz: number, out: Float32Array): void {
  const shortest = shortestLagSeconds * rateHz;
  const longest = Math.min(envelope.length - 1, Math.ceil(shortest * 2 ** octaves));
  const correlation = autocorrelation(envelope, longest);
  let mean = 0;
  for (let i = 0; i < pulseSize; i++) {
    out[i] = atLag(correlation, shortest * 2 ** ((octaves * i) / (pulseSize - 1)));
    mean += out[i] / pulseSize;
  }
  let norm = 1e-18;
  for (let i = 0; i < pulseSize; i++) norm += (out[i] - mean) ** 2;
  for (let i = 0; i < pulseSize; i++) out[i] = (out[i] - mean) / Math.sqrt(norm);
}

/**
 * How well two pulses meet where one may play up to 6.6 % faster or slower: the largest dot product over shifts, -1..1.
 *
 * @param at place of both pulses in the two arrays
 */
export function meetingOfPulses(tail: Float32Array, head: Float32Array, at: number): number {
  const end = at + pulseSize;
  // One pass over both for all shifts: a search scores hundreds of pairs. h0 to h6 are the head's values around a point.
  let h0 = 0;
  let h1 = 0;
  let h2 = 0;
  let h3 = head[at];
  let h4 = head[at + 1];
  let h5 = head[at + 2];
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let s4 = 0;
  let s5 = 0;
  let s6 = 0;
  for (let i = at; i < end; i++) {
    const value = tail[i];
    const h6 = i + reach < end ? head[i + reach] : 0;
    s0 += value * h0;
    s1 += value * h1;
    s2 += value * h2;
    s3 += value * h3;
    s4 += value * h4;
    s5 += value * h5;
    s6 += value * h6;
    h0 = h1;
    h1 = h2;
    h2 = h3;
    h3 = h4;
    h4 = h5;
    h5 = h6;
  }
  return Math.max(s0, s1, s2, s3, s4, s5, s6);
}
