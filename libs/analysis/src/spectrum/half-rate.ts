/** Taps of the half-band filter on either side; the even ones are 0. */
const reach = 23;

/** Weights of the odd taps: a sinc under a Blackman window. */
const weights = Float64Array.from({ length: (reach + 1) / 2 }, (_, i) => {
  const k = 2 * i + 1;
  const x = (Math.PI * k) / 2;
  const at = (Math.PI * k) / (reach + 1);
  return (0.5 * Math.sin(x) * (0.42 + 0.5 * Math.cos(at) + 0.08 * Math.cos(2 * at))) / x;
});

/**
 * Halves the rate of a stream with a half-band filter: flat within 0.1 dB to 0.2 of the input's rate, and less than -54 dB
 * of what lies above 0.3 of it. Sample `i` of the output is at sample `2 * i` of the input.
 */
export class HalfRate {
  private held = new Float32Array(2 * reach + 4096);
  private length = reach;

  /** @param onSamples called with a view that is valid only during the call */
  constructor(private readonly onSamples: (samples: Float32Array) => void) {}

  /** Adds samples. */
  push(samples: Float32Array): void {
    for (let at = 0; at < samples.length; at += 4096) this.take(samples.subarray(at, at + 4096));
  }

  /** Gives the samples that still wait for what follows them, as if silence did. */
  flush(): void {
    this.push(new Float32Array(reach));
  }

  private take(samples: Float32Array): void {
    const { held } = this;
    held.set(samples, this.length);
    this.length += samples.length;
    const count = Math.max(0, (this.length - 2 * reach + 1) >> 1);
    const out = new Float32Array(count);
    for (let i = 0; i < count; i++) {
      const centre = reach + 2 * i;
      let sum = 0.5 * held[centre];
      for (let j = 0; j < weights.length; j++) {
        const k = 2 * j + 1;
        sum += weights[j] * (held[centre - k] + held[centre + k]);
      }
      out[i] = sum;
    }
    held.copyWithin(0, 2 * count, this.length);
    this.length -= 2 * count;
    this.onSamples(out);
  }
}
