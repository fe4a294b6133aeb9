import { describe, expect, it } from 'vitest';
import { ShapeError, seededRandom } from '@earmark/kernel';
import { explain, rankHeads, similarity } from './rank.js';
import { builtInModel } from './transition-model.js';
import { WindowFeatures, featureSize, transitionRateHz } from './window-features.js';

/** Eight seconds of a pulse train on a chord, with a beat of `bpm`. */
function music(notes: readonly number[], bpm: number, gain = 1): Float32Array {
  const beat = (60 / bpm) * transitionRateHz;
  return Float32Array.from({ length: 8 * transitionRateHz }, (_, i) => {
    const since = (i % beat) / transitionRateHz;
    let sum = 0;
    for (const note of notes)
      sum += Math.sin((2 * Math.PI * 440 * 2 ** ((note - 69) / 12) * i) / transitionRateHz);
    return (gain * 0.1 * sum * Math.exp(-6 * since)) / notes.length;
  });
}

const features = new WindowFeatures();
const chord = [48, 60, 64, 67];

describe('WindowFeatures', () => {
  it('does not depend on gain', () => {
    const plain = features.describe(music(chord, 120), 'tail');
    const loud = features.describe(music(chord, 120, 4), 'tail');
    expect(
      similarity(builtInModel().embed(plain, 'tail'), builtInModel().embed(loud, 'tail')),
    ).toBeGreaterThan(0.8);
  });

  it('gives finite values for silence and refuses windows of less than a second', () => {
    expect(features.describe(new Float32Array(transitionRateHz), 'head').every(Number.isFinite)).toBe(true);
    expect(() => features.describe(new Float32Array(100), 'head')).toThrow(ShapeError);
  });
});

describe('rankHeads', () => {
  const model = builtInModel();
  const random = seededRandom(3);
  const noise = Float32Array.from({ length: 8 * transitionRateHz }, () => 0.2 * (random.next() - 0.5));

  it('puts the continuation of the same music, quieter and faster, before other sounds', () => {
    const ranking = rankHeads(model, features.describe(music(chord, 120), 'tail'), [
      { id: 'noise', features: features.describe(noise, 'head') },
      { id: 'same', features: features.describe(music(chord, 125, 0.5), 'head') },
      { id: 'other', features: features.describe(music([81, 85, 90], 77), 'head') },
    ]);
    expect(ranking.ranked[0]).toBe('same');
    expect(ranking.scores[0]).toBeGreaterThan(ranking.scores[1]);
  });

  it('keeps the order of candidates with equal scores', () => {
    const head = features.describe(noise, 'head');
    const ranking = rankHeads(model, head, [
      { id: 'b', features: head },
      { id: 'a', features: head },
    ]);
    expect(ranking.ranked).toEqual(['b', 'a']);
  });

  it('names first the component whose absence changes the score most', () => {
    const [tail, head] = [features.describe(music(chord, 120), 'tail'), features.describe(noise, 'head')];
    const reasons = explain(model, tail, head);
    const full = similarity(model.embed(tail, 'tail'), model.embed(head, 'head'));
    const effects = reasons.map(({ code }) =>
      Math.abs(full - similarity(model.embed(tail, 'tail', code), model.embed(head, 'head', code))),
    );
    expect(effects[0]).toBe(Math.max(...effects));
  });

  it('refuses rows of another length', () => {
    expect(() => model.embed(new Float32Array(featureSize - 1), 'tail')).toThrow(ShapeError);
  });
});
