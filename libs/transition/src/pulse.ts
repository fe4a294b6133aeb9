import { atLag, autocorrelation } from './autocorrelation.js';

/** Values of a pulse. */
export const pulseSize = 96;

const shortestLagSeconds = 0.256;
const octaves = 3;
/** Points that a pulse may be shifted by: a tempo 6.6 % higher or lower. */
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
  let best = -1;
  for (let shift = -reach; shift <= reach; shift++) {
    const from = at + Math.max(0, shift);
    const to = at + pulseSize + Math.min(0, shift);
    let sum = 0;
    for (let i = from; i < to; i++) sum += tail[i] * head[i - shift];
    if (sum > best) best = sum;
  }
  return best;
}
