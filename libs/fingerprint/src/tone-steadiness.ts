import { binOfPitch } from './landmark-cells.js';
import { fingerprintConfig as config } from './config.js';
import { lowerBound, type Peaks } from './peaks.js';
import type { Alignment, ReferencePeaks } from './query-raster.js';

/** Frames after a peak in which the same tone goes on, bins that it may glide, and below which it stands still. */
const tone = { from: 3, to: 9, glide: 3, still: 0.5 } as const;
/** How near a peak of the reference must be to explain one of the query: frames, steps. */
const tolerance = { frames: 2, pitch: 1 } as const;

/**
 * Of the tones that go on near where they were, the share that stays exactly there, 0..1: about 0.2 for voices and noise,
 * 0.3 to 0.8 for music.
 *
 * @param frames in order of time
 * @param bins of the same peaks
 */
export function steadinessOf(frames: readonly number[], bins: readonly number[]): number {
  let still = 0;
  let gliding = 0;
  let first = 0;
  for (let i = 0; i < frames.length; i++) {
    while (first < frames.length && frames[first] < frames[i] + tone.from) first++;
    let nearest = Infinity;
    for (let j = first; j < frames.length && frames[j] < frames[i] + tone.to; j++)
      nearest = Math.min(nearest, Math.abs(bins[j] - bins[i]));
    if (nearest < tone.still) still++;
    else if (nearest < tone.glide) gliding++;
  }
  return still / Math.max(1, still + gliding);
}

/** Steadiness of the query's tones that the reference does not explain along a line, see {@link steadinessOf}. */
export function foreignSteadiness(query: Peaks, reference: ReferencePeaks, line: Alignment): number {
  const frames: number[] = [];
  const bins: number[] = [];
  for (let i = 0; i < query.frames.length; i++) {
    const frame = line.offset + line.speed * query.frames[i];
    if (explains(reference, frame, binOfPitch(query.pitches[i] - line.pitch))) continue;
    frames.push(query.frames[i]);
    bins.push(binOfPitch(query.pitches[i]));
  }
  return steadinessOf(frames, bins);
}

const nearestRatio = 2 ** (tolerance.pitch / config.stepsPerOctave);

function explains({ frames, bins }: ReferencePeaks, frame: number, bin: number): boolean {
  const latest = frame + tolerance.frames;
  for (let i = lowerBound(frames, frame - tolerance.frames); i < frames.length && frames[i] <= latest; i++) {
    if (bins[i] <= bin * nearestRatio && bins[i] * nearestRatio >= bin) return true;
  }
  return false;
}
