/**
 * Autocorrelation of an envelope less its mean, each lag by the number of its products, 1 at lag 0 (0 throughout where the
 * envelope does not move).
 *
 * @param longest last lag, less than the length of the envelope
 */
export function autocorrelation(envelope: Float64Array, longest: number): Float64Array {
  const n = envelope.length;
  let mean = 0;
  for (const value of envelope) mean += value / n;
  const correlation = new Float64Array(longest + 1);
  for (let lag = 0; lag <= longest; lag++) {
    let sum = 0;
    for (let i = lag; i < n; i++) sum += (envelope[i] - mean) * (envelope[i - lag] - mean);
    correlation[lag] = sum / (n - lag);
  }
  const scale = 1 / (correlation[0] + 1e-9);
  for (let lag = 0; lag <= longest; lag++) correlation[lag] *= scale;
  return correlation;
}

/** Value between two lags; lags past the last one count as it. */
export function atLag(correlation: Float64Array, lag: number): number {
  const whole = Math.min(Math.floor(lag), correlation.length - 1);
  const next = Math.min(whole + 1, correlation.length - 1);
  return correlation[whole] + (lag - whole) * (correlation[next] - correlation[whole]);
}
