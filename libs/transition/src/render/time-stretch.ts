/** Where in the input what sounds at an output sample is taken from, samples; rising. */
export type TimeMap = (outputSample: number) => number;

const frameSeconds = 0.046;
const reachSeconds = 0.01;
const coarse = 4;
/** How much a frame at the end of the reach loses against one in its right place; keeps beats where they belong. */
const strayPenalty = 0.25;

/**
 * Changes the tempo of channels and keeps their pitch: frames of 46 ms are taken from around the place that the map names,
 * at most 10 ms away from it, where they continue the frame before best (waveform similarity overlap-add). Errors never
 * add up, the length is exact, and where the map runs at the speed of the input the samples pass unchanged.
 *
 * @param channels equally long, -1..1; outside of them there is silence
 * @param length samples to make
 * @returns as many channels
 * @see W. Verhelst, M. Roelands, "An overlap-add technique based on waveform similarity (WSOLA) ...", ICASSP 1993
 */
export function stretch(
  channels: readonly Float32Array[],
  sampleRateHz: number,
  map: TimeMap,
  length: number,
): Float32Array[] {
  const hop = Math.round((frameSeconds * sampleRateHz) / 2);
  const reach = Math.round(reachSeconds * sampleRateHz);
  const window = Float32Array.from({ length: 2 * hop }, (_, i) => 0.5 - 0.5 * Math.cos((Math.PI * i) / hop));
  const search = new SimilaritySearch(channels, hop, reach);
  const out = channels.map(() => new Float32Array(length));
  let before: number | undefined;
  for (let centre = 0; centre - hop < length; centre += hop) {
    const wanted = Math.round(map(centre)) - hop;
    const start = before === undefined ? wanted : search.best(wanted, before + hop);
    before = start;
    for (let c = 0; c < channels.length; c++) addFrame(channels[c], start, window, out[c], centre - hop);
  }
  return out;
}

function addFrame(
  input: Float32Array,
  from: number,
  window: Float32Array,
  output: Float32Array,
  to: number,
): void {
  const first = Math.max(0, -from, -to);
  const last = Math.min(window.length, input.length - from, output.length - to);
  for (let i = first; i < last; i++) output[to + i] += window[i] * input[from + i];
}

/** Finds the start of the frame that continues another one best. */
class SimilaritySearch {
  private readonly mono: Float32Array;
  private readonly low: Float32Array;

  constructor(
    channels: readonly Float32Array[],
    private readonly hop: number,
    private readonly reach: number,
  ) {
    this.mono = mixed(channels);
    this.low = decimated(this.mono);
  }

  /**
   * @param wanted where the frame should start
   * @param natural where it would start if it went on as before
   */
  best(wanted: number, natural: number): number {
    // Within a sample the tempo is that of the input: going on is perfect, and stays so.
    if (Math.abs(wanted - natural) <= 1) return natural;
    const { hop, reach } = this;
    const steps = Math.floor(reach / coarse);
    let [place, value] = [wanted, -Infinity];
    for (let step = -steps; step <= steps; step++) {
      const start = wanted + step * coarse;
      const likeness = correlation(
        this.low,
        Math.round(natural / coarse),
        Math.round(start / coarse),
        Math.floor(hop / coarse),
      );
      const worth = likeness - strayPenalty * ((start - wanted) / reach) ** 2;
      if (worth > value) [place, value] = [start, worth];
    }
    let [fine, best] = [place, -Infinity];
    for (let start = place - coarse; start <= place + coarse; start++) {
      const worth = correlation(this.mono, natural, start, hop);
      if (worth > best) [fine, best] = [start, worth];
    }
    return fine;
  }
}

/** Normalised correlation, -1..1, of two stretches; 0 where one lies outside. */
function correlation(samples: Float32Array, a: number, b: number, length: number): number {
  if (a < 0 || b < 0 || a + length > samples.length || b + length > samples.length) return 0;
  let [ab, aa, bb] = [0, 1e-9, 1e-9];
  for (let i = 0; i < length; i++) {
    const [x, y] = [samples[a + i], samples[b + i]];
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return ab / Math.sqrt(aa * bb);
}

function mixed(channels: readonly Float32Array[]): Float32Array {
  if (channels.length === 1) return channels[0];
  const out = new Float32Array(channels[0]?.length ?? 0);
  for (const channel of channels) for (let i = 0; i < out.length; i++) out[i] += channel[i] / channels.length;
  return out;
}

/** Every fourth sample of a moving mean: enough to find where waves meet. */
function decimated(samples: Float32Array): Float32Array {
  const out = new Float32Array(Math.floor(samples.length / coarse));
  for (let i = 0; i < out.length; i++) {
    let sum = 0;
    for (let k = 0; k < coarse; k++) sum += samples[coarse * i + k];
    out[i] = sum / coarse;
  }
  return out;
}
