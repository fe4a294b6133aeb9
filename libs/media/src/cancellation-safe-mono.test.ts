import { seededRandom } from '@earmark/kernel';
import { describe, expect, it } from 'vitest';
import { CancellationSafeMono } from './cancellation-safe-mono.js';

const rate = 8000;
const random = seededRandom(3);
const noise = (): Float32Array => Float32Array.from({ length: rate }, () => random.next() - 0.5);
const scale = (samples: Float32Array, gain: number): Float32Array => samples.map((value) => value * gain);
const sum = (a: Float32Array, b: Float32Array): Float32Array => a.map((value, n) => value + b[n]);

describe('CancellationSafeMono', () => {
  it('gives the mean of ordinary stereo and one channel as it is', () => {
    const mixer = new CancellationSafeMono(rate);
    const [left, right] = [noise(), noise()];
    expect([...mixer.mix([left, right])]).toEqual([...scale(sum(left, right), 0.5)]);
    expect(mixer.mix([left])).toBe(left);
  });

  it('hears stereo whose right channel was inverted', () => {
    const mixer = new CancellationSafeMono(rate);
    const [middle, width] = [noise(), scale(noise(), 0.3)];
    const left = sum(middle, width);
    const right = sum(middle, scale(width, -1));
    const mono = mixer.mix([left, scale(right, -1)]);
    for (let n = 0; n < mono.length; n += 97) expect(mono[n]).toBeCloseTo(middle[n], 5);
  });

  it('comes back to the mean when the channels agree again', () => {
    const mixer = new CancellationSafeMono(rate);
    const music = noise();
    mixer.mix([music, scale(music, -1)]);
    for (let n = 0; n < 3; n++) mixer.mix([music, music]);
    expect([...mixer.mix([music, music])]).toEqual([...music]);
  });
});
