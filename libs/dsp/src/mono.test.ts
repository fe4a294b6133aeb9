import { ShapeError } from '@earmark/kernel';
import { describe, expect, it } from 'vitest';
import { richSignal } from './fixtures/rich-signal.js';
import { MonoMixer, toMono } from './mono.js';

describe('toMono', () => {
  it('gives the mean of any number of channels', () => {
    const channels = [Float32Array.of(1, 2), Float32Array.of(3, 4), Float32Array.of(5, 9)];
    expect(toMono(channels.slice(0, 1), new Float32Array(2))).toEqual(Float32Array.of(1, 2));
    expect(toMono(channels.slice(0, 2), new Float32Array(2))).toEqual(Float32Array.of(2, 3));
    expect(toMono(channels, new Float32Array(3))).toEqual(Float32Array.of(3, 5));
  });

  it('may write into one of its inputs', () => {
    const left = Float32Array.of(1, 2);
    expect(toMono([left, Float32Array.of(3, 4)], left)).toBe(left);
    expect(left).toEqual(Float32Array.of(2, 3));
  });

  it('refuses shapes that do not fit', () => {
    expect(() => toMono([], new Float32Array(1))).toThrow(ShapeError);
    expect(() => toMono([new Float32Array(2), new Float32Array(3)], new Float32Array(3))).toThrow(ShapeError);
    expect(() => toMono([new Float32Array(2)], new Float32Array(1))).toThrow(ShapeError);
  });
});

describe('MonoMixer', () => {
  it.each([1, 2, 3, 6, 9])('gives the bits of toMono for %i channels in both back ends', (count) => {
    const channels = Array.from({ length: count }, (_, c) => richSignal(8000, 1.2, c + 1));
    const wanted = toMono(channels, new Float32Array(channels[0].length));
    for (const backend of ['js', 'wasm'] as const) {
      const mixer = new MonoMixer(backend);
      mixer.mix([Float32Array.of(9, 9), Float32Array.of(9, 9)], new Float32Array(5));
      expect(mixer.mix(channels, new Float32Array(10_000))).toEqual(wanted);
    }
  });

  it('refuses shapes that do not fit', () => {
    expect(() =>
      new MonoMixer().mix([new Float32Array(2), new Float32Array(3)], new Float32Array(3)),
    ).toThrow(ShapeError);
  });
});
