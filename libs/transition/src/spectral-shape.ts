/** Log-mel levels, row-major [count, bands]. */
export type MelFrames = Readonly<{ levels: Float32Array; bands: number; count: number }>;

/** Where the descriptions of {@link describeBands} go; frame ranges are [from, to). */
export type BandTargets = Readonly<{
  /** Mean of each band less that of all, then spread: 2 x bands values. */
  timbre: Float32Array;
  /** Mean absolute change of each band over each of three lags: 3 x bands values. */
  dynamics: Float32Array;
  /** Mean of each band in `seamFrames` and in `nearFrames`, less its mean: 2 x bands values or more. */
  seam: Float32Array;
  seamFrames: readonly [number, number];
  nearFrames: readonly [number, number];
}>;

const lags = [1, 4, 16];

/** Describes how bands behave over time; equalisers move little of it but the means. */
export function describeBands(frames: MelFrames, targets: BandTargets): void {
  const { levels, bands, count } = frames;
  const { timbre, dynamics, seam } = targets;
  let overall = 0;
  for (let b = 0; b < bands; b++) {
    let [mean, square] = [0, 0];
    for (let i = b; i < levels.length; i += bands) {
      mean += levels[i];
      square += levels[i] * levels[i];
    }
    mean /= count;
    overall += mean / bands;
    timbre[b] = mean;
    timbre[bands + b] = Math.sqrt(Math.max(0, square / count - mean * mean));
    seam[b] = meanOf(frames, b, targets.seamFrames) - mean;
    seam[bands + b] = meanOf(frames, b, targets.nearFrames) - mean;
    lags.forEach((lag, k) => {
      let change = 0;
      for (let f = lag; f < count; f++) {
        change += Math.abs(levels[f * bands + b] - levels[(f - lag) * bands + b]);
      }
      dynamics[k * bands + b] = Math.log(0.05 + change / Math.max(1, count - lag));
    });
  }
  for (let b = 0; b < bands; b++) timbre[b] -= overall;
}

function meanOf({ levels, bands }: MelFrames, band: number, [from, to]: readonly [number, number]): number {
  let sum = 0;
  for (let f = from; f < to; f++) sum += levels[f * bands + band];
  return sum / Math.max(1, to - from);
}
