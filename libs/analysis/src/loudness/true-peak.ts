const halfTaps = 6;
const taps = 2 * halfTaps;
const chunk = 16;

/**
 * Largest absolute value of the band-limited signal between the samples, by interpolation (4 times below 80 kHz, twice
 * below 160 kHz). Stretches whose samples are too small to beat the peak found so far are not interpolated, which does
 * not change the result.
 *
 * @see ITU-R BS.1770-5, annex 2
 */
export class TruePeakMeter {
  private readonly phases: readonly Float64Array[];
  private readonly bound: number;
  private readonly history = new Float32Array(taps);
  private buffer = new Float32Array(0);
  private top = 0;

  constructor(sampleRateHz: number) {
    const factor = sampleRateHz < 80_000 ? 4 : sampleRateHz < 160_000 ? 2 : 1;
    this.phases = Array.from({ length: factor - 1 }, (_, i) => interpolator((i + 1) / factor));
    this.bound = Math.max(1, ...this.phases.map((phase) => phase.reduce((sum, w) => sum + Math.abs(w), 0)));
  }

  /** Largest absolute value so far, linear. */
  get peak(): number {
    return this.top;
  }

  /** Adds samples. */
  push(samples: Float32Array): void {
    if (this.buffer.length !== samples.length + taps) this.buffer = new Float32Array(samples.length + taps);
    const { buffer, history } = this;
    buffer.set(history);
    buffer.set(samples, taps);
    // `buffer[i]` is interpolated from `buffer[i - halfTaps + 1 .. i + halfTaps]`, which needs `halfTaps` later samples.
    for (let from = halfTaps; from < buffer.length - halfTaps; from += chunk) {
      this.scan(buffer, from, Math.min(from + chunk, buffer.length - halfTaps));
    }
    history.set(buffer.subarray(buffer.length - taps));
  }

  /** Ends the signal: what follows is silence. */
  flush(): void {
    this.push(new Float32Array(taps));
  }

  private scan(x: Float32Array, from: number, to: number): void {
    let loudest = 0;
    for (let i = from - halfTaps; i < to + halfTaps; i++) {
      const v = x[i] < 0 ? -x[i] : x[i];
      if (v > loudest) loudest = v;
    }
    if (loudest * this.bound <= this.top) return;
    for (let i = from; i < to; i++) {
      const v = x[i] < 0 ? -x[i] : x[i];
      if (v > this.top) this.top = v;
      for (const phase of this.phases) {
        let sum = 0;
        for (let k = 0; k < taps; k++) sum += phase[k] * x[i - halfTaps + 1 + k];
        if (sum < 0) sum = -sum;
        if (sum > this.top) this.top = sum;
      }
    }
  }
}

/** Windowed sinc that gives the value `fraction` of a sample after the centre. */
function interpolator(fraction: number): Float64Array {
  const out = new Float64Array(taps);
  let total = 0;
  for (let k = 0; k < taps; k++) {
    const t = k - (halfTaps - 1) - fraction;
    const window = Math.cos((Math.PI * t) / (2 * halfTaps + 1)) ** 2;
    out[k] = (t === 0 ? 1 : Math.sin(Math.PI * t) / (Math.PI * t)) * window;
    total += out[k];
  }
  for (let k = 0; k < taps; k++) out[k] /= total;
  return out;
}
