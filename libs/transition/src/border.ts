import type { Side } from './side.js';

const rateHz = 16_000;
const floorDb = -100;
const blockSamples = 320;
const silenceDb = -50;

/** What a window is like next to its border, as it was recorded. */
export type Border = Readonly<{
  /** Level of the window, dBFS, at least -100. */
  windowDb: number;
  /** Level of the 2 s next to the border, dBFS. */
  seamDb: number;
  /** Level of the 400 ms next to the border, dBFS. */
  nearDb: number;
  /** Largest sample, dBFS. */
  peakDb: number;
  /** Silence (20 ms blocks under -50 dBFS) between the border and the first sound, seconds. */
  silenceS: number;
  /** Share of 20 ms blocks under -50 dBFS, 0..1. */
  silentShare: number;
}>;

/** Values of a border in a feature row and in a code. */
export const borderSize = 6;

/** Measures the border of a window and writes {@link borderSize} values, those of {@link readBorder}. */
export function describeBorder(samples: Float32Array, side: Side, out: Float32Array): void {
  const near = (seconds: number): Float32Array => {
    const length = Math.min(samples.length, Math.round(seconds * rateHz));
    return side === 'tail' ? samples.subarray(samples.length - length) : samples.subarray(0, length);
  };
  let peak = 0;
  for (let i = 0; i < samples.length; i++) {
    const value = Math.abs(samples[i]);
    if (value > peak) peak = value;
  }
  const blocks = Math.floor(samples.length / blockSamples);
  let [silent, first] = [0, blocks];
  for (let i = 0; i < blocks; i++) {
    const at = side === 'tail' ? samples.length - (i + 1) * blockSamples : i * blockSamples;
    if (levelDb(samples.subarray(at, at + blockSamples)) < silenceDb) silent++;
    else first = Math.min(first, i);
  }
  out[0] = levelDb(samples);
  out[1] = levelDb(near(2));
  out[2] = levelDb(near(0.4));
  out[3] = peak > 0 ? Math.max(floorDb, 20 * Math.log10(peak)) : floorDb;
  out[4] = (first * blockSamples) / rateHz;
  out[5] = blocks > 0 ? silent / blocks : 1;
}

/** Reads the values that {@link describeBorder} wrote. */
export function readBorder(values: Float32Array): Border {
  const [windowDb, seamDb, nearDb, peakDb, silenceS, silentShare] = values;
  return { windowDb, seamDb, nearDb, peakDb, silenceS, silentShare };
}

function levelDb(samples: Float32Array): number {
  let energy = 0;
  for (let i = 0; i < samples.length; i++) energy += samples[i] * samples[i];
  return energy > 0 ? Math.max(floorDb, 10 * Math.log10(energy / samples.length)) : floorDb;
}
