import { describe, expect, it } from 'vitest';
import type { Peaks } from './peaks.js';
import { referencePeaks } from './query-raster.js';
import { foreignSteadiness } from './tone-steadiness.js';

/** Tones sampled every four frames; each glides by so many pitch steps a frame. */
function tones(pitches: readonly number[], glide: number, lengthFrames = 80): Peaks {
  const points: { frame: number; pitch: number }[] = [];
  for (let frame = 0; frame < lengthFrames; frame += 4)
    for (const pitch of pitches) points.push({ frame, pitch: pitch + glide * frame });
  return {
    frames: Float32Array.from(points, ({ frame }) => frame),
    pitches: Float32Array.from(points, ({ pitch }) => pitch),
    levels: new Float32Array(points.length).fill(-20),
    ranks: new Uint8Array(points.length),
    lengthFrames,
  };
}

const nominal = { offset: 0, speed: 1, pitch: 0 };

describe('foreignSteadiness', () => {
  it('is high when what the reference lacks stands still, low when it glides', () => {
    const reference = referencePeaks(tones([20], 0));
    expect(foreignSteadiness(tones([20, 60, 90], 0), reference, nominal)).toBe(1);
    expect(foreignSteadiness(tones([60, 90], 0.12), reference, nominal)).toBeLessThan(0.3);
  });

  it('leaves out what the reference explains, at the pitch of the line', () => {
    const reference = referencePeaks(tones([20, 60], 0));
    expect(foreignSteadiness(tones([20, 60], 0), reference, nominal)).toBe(0);
    expect(foreignSteadiness(tones([25, 65], 0), reference, { ...nominal, pitch: 5 })).toBe(0);
    expect(foreignSteadiness(tones([25, 65], 0), reference, nominal)).toBe(1);
  });
});
