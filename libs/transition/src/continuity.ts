const rateHz = 16_000;
const decimation = 4;
const nearSamples = 2_048;
const halfTaps = 16;
/** Of the decimated sound: what a prediction is made from, how many coefficients it has, and how far it goes. */
const historySamples = 480;
const order = 64;
const reachSamples = 96;
/** The same of the sound at its full rate, which the low-pass needs a little of beyond the border. */
const edgeHistorySamples = 800;
const edgeOrder = 32;
const frequencies = 32;
const compression = 0.5;

/** Values that describe whether the sound itself goes on over a border. */
export const continuitySize = 4 * frequencies;

const lowPass = designLowPass();
const waves = designWaves();

/**
 * Describes the sound on both sides of a border so that the dot product of a tail's and a head's values (-1..1) says
 * whether the one is the physical continuation of the other, whatever their level and colour. The first half is what
 * sounds in the 24 ms after the border, the second half what sounds in the 24 ms before it, seen from the border outwards:
 * the side that has it gives it, the other side predicts it, by linear prediction (Burg) from its 120 ms next to the border.
 * Each half is a spectrum up to 1.3 kHz with phases, its magnitudes compressed, of length 1 / sqrt 2, or zeros in silence.
 *
 * @param samples mono at 16 kHz, at least 130 ms
 * @param out {@link continuitySize} values
 * @see J. P. Burg, "Maximum entropy spectral analysis", 1967; A. Janssen, R. Veldhuis and L. Vries, "Adaptive interpolation of
 * discrete-time signals that can be modeled as autoregressive processes", IEEE Transactions on ASSP 34, 1986
 */
export function describeContinuity(samples: Float32Array, side: 'tail' | 'head', out: Float32Array): void {
  const length = Math.min(samples.length, nearSamples);
  // Towards the border on either side.
  const sound =
    side === 'tail' ? samples.subarray(samples.length - length) : samples.slice(0, length).reverse();
  const near = decimated(sound, side);
  const predicted = extrapolate(near.slice(-historySamples), order, reachSamples);
  const actual = near.slice(-reachSamples).reverse();
  const half = continuitySize / 2;
  describeSpectrum(side === 'tail' ? predicted : actual, out.subarray(0, half));
  describeSpectrum(side === 'tail' ? actual : predicted, out.subarray(half, 2 * half));
}

/** Every fourth sample of the low-passed sound, which ends at the border, on one grid of times for both sides. */
function decimated(sound: Float32Array, side: 'tail' | 'head'): Float64Array {
  const extended = new Float64Array(sound.length + halfTaps);
  extended.set(sound);
  const edge = Float64Array.from(sound.subarray(Math.max(0, sound.length - edgeHistorySamples)));
  extended.set(extrapolate(edge, edgeOrder, halfTaps), sound.length);
  const out = new Float64Array(Math.floor(sound.length / decimation));
  const last = sound.length - (side === 'tail' ? decimation : 1);
  for (let k = 0; k < out.length; k++) {
    const at = last - k * decimation;
    let sum = 0;
    for (let i = Math.max(-halfTaps, -at); i <= halfTaps && at + i < extended.length; i++)
      sum += extended[at + i] * lowPass[halfTaps + i];
    out[out.length - 1 - k] = sum;
  }
  return out;
}

/** The `count` samples that follow by a prediction filter of `degree` coefficients, by Burg's method. */
function extrapolate(history: Float64Array, degree: number, count: number): Float64Array {
  const coefficients = burg(history, degree);
  const out = new Float64Array(history.length + count);
  out.set(history);
  for (let i = history.length; i < out.length; i++) {
    let sum = 0;
    for (let j = 1; j <= degree; j++) sum -= coefficients[j] * out[i - j];
    out[i] = sum;
  }
  return out.subarray(history.length);
}

function burg(samples: Float64Array, degree: number): Float64Array {
  let coefficients = new Float64Array(degree + 1);
  coefficients[0] = 1;
  const count = samples.length;
  const forward = samples.slice(1);
  const backward = samples.slice(0, count - 1);
  for (let m = 1; m <= degree; m++) {
    let [product, energy] = [0, 1e-12];
    const left = count - m;
    for (let i = 0; i < left; i++) {
      product += forward[i] * backward[i];
      energy += forward[i] * forward[i] + backward[i] * backward[i];
    }
    const reflection = (-2 * product) / energy;
    const next = coefficients.slice();
    for (let j = 1; j <= m; j++) next[j] += reflection * coefficients[m - j];
    coefficients = next;
    for (let i = 0; i + 1 < left; i++) {
      const before = forward[i];
      // Written one place lower than read: the forward error loses its first value, the backward error its last.
      backward[i] += reflection * before;
      forward[i] = forward[i + 1] + reflection * backward[i + 1];
    }
  }
  return coefficients;
}

/** Real, then imaginary parts at multiples of the inverse length, weighted towards the border. */
function describeSpectrum(samples: Float64Array, out: Float32Array): void {
  let total = 0;
  for (let k = 0; k < frequencies; k++) {
    let [real, imaginary] = [0, 0];
    for (let i = 0; i < samples.length; i++) {
      real += samples[i] * waves.cosine[k * reachSamples + i];
      imaginary -= samples[i] * waves.sine[k * reachSamples + i];
    }
    const magnitude = Math.hypot(real, imaginary);
    const scale = magnitude > 1e-9 ? magnitude ** (compression - 1) : 0;
    out[k] = real * scale;
    out[frequencies + k] = imaginary * scale;
    total += (magnitude * scale) ** 2;
  }
  const norm = total > 0 ? Math.SQRT1_2 / Math.sqrt(total) : 0;
  for (let k = 0; k < 2 * frequencies; k++) out[k] *= norm;
}

/** Hamming-windowed sinc with its edge at 1.6 kHz. */
function designLowPass(): Float64Array {
  const edge = 1_600 / rateHz;
  const taps = Float64Array.from({ length: 2 * halfTaps + 1 }, (_, n) => {
    const t = n - halfTaps;
    const sinc = t === 0 ? 2 * edge : Math.sin(2 * Math.PI * edge * t) / (Math.PI * t);
    return sinc * (0.54 - 0.46 * Math.cos((Math.PI * n) / halfTaps));
  });
  const sum = taps.reduce((total, tap) => total + tap, 0);
  return taps.map((tap) => tap / sum);
}

function designWaves(): Readonly<{ cosine: Float64Array; sine: Float64Array }> {
  const table = (wave: (angle: number) => number): Float64Array =>
    Float64Array.from({ length: frequencies * reachSamples }, (_, n) => {
      const [k, i] = [1 + Math.floor(n / reachSamples), n % reachSamples];
      const weight = 0.5 + 0.5 * Math.cos((Math.PI * i) / reachSamples);
      return weight * wave((2 * Math.PI * k * i) / reachSamples);
    });
  return { cosine: table(Math.cos), sine: table(Math.sin) };
}
