import { spectrumBins, type SpectrumLevels } from './spectrum.js';

/**
 * Spectral peaks of a recording, parallel arrays of equal length in order of time. Everything else (hashes, votes,
 * verification) is derived from them; this is what the database stores.
 *
 * Values are quantised at extraction (time 1/8 frame, pitch 1/32 step, level 1 dB), so encoding loses nothing and
 * hashes made from stored peaks equal those made while the audio was there.
 */
export type Peaks = Readonly<{
  /** Time in analysis frames, with fraction. */
  frames: Float32Array;
  /** Pitch in 1/36 octave above the configuration's first bin (215 Hz), with fraction. */
  pitches: Float32Array;
  /** Level in dB; 0 is a full-scale sine. */
  levels: Float32Array;
  /** Order of salience inside the peak's band and second, 0 first. Index density is `rank < indexQuota`. */
  ranks: Uint8Array;
  /** Duration of the recording in analysis frames. */
  lengthFrames: number;
  /** What a short query sounded like between its peaks; never stored. */
  spectrum?: SpectrumLevels;
}>;

/** Peaks with no content. */
export function emptyPeaks(lengthFrames = 0): Peaks {
  return {
    frames: new Float32Array(0),
    pitches: new Float32Array(0),
    levels: new Float32Array(0),
    ranks: new Uint8Array(0),
    lengthFrames,
  };
}

/** First position whose frame is not before `frame`. */
export function lowerBound(frames: Float32Array, frame: number): number {
  let low = 0;
  let high = frames.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (frames[middle] < frame) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Keeps the peaks with `rank < quota`, without the spectrum: index density out of query density. */
export function limitDensity(peaks: Peaks, quota: number): Peaks {
  let count = 0;
  for (let i = 0; i < peaks.ranks.length; i++) if (peaks.ranks[i] < quota) count++;
  if (count === peaks.ranks.length && !peaks.spectrum) return peaks;
  const frames = new Float32Array(count);
  const pitches = new Float32Array(count);
  const levels = new Float32Array(count);
  const ranks = new Uint8Array(count);
  let at = 0;
  for (let i = 0; i < peaks.ranks.length; i++) {
    if (peaks.ranks[i] >= quota) continue;
    frames[at] = peaks.frames[i];
    pitches[at] = peaks.pitches[i];
    levels[at] = peaks.levels[i];
    ranks[at++] = peaks.ranks[i];
  }
  return { frames, pitches, levels, ranks, lengthFrames: peaks.lengthFrames };
}

/** Peaks between two frames, with times relative to `startFrame`. */
export function slicePeaks(peaks: Peaks, startFrame: number, endFrame: number): Peaks {
  const from = lowerBound(peaks.frames, startFrame);
  const to = lowerBound(peaks.frames, endFrame);
  const end = Math.min(endFrame, peaks.lengthFrames);
  const frames = peaks.frames.slice(from, to);
  for (let i = 0; i < frames.length; i++) frames[i] -= startFrame;
  return {
    frames,
    pitches: peaks.pitches.slice(from, to),
    levels: peaks.levels.slice(from, to),
    ranks: peaks.ranks.slice(from, to),
    lengthFrames: end - startFrame,
    ...(peaks.spectrum && {
      spectrum: peaks.spectrum.subarray(startFrame * spectrumBins, end * spectrumBins),
    }),
  };
}
