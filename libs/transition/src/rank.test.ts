import { describe, expect, it } from 'vitest';
import { ShapeError, seededRandom } from '@earmark/kernel';
import { decideJoin } from './join-decision.js';
import { explainPair, rankHeads, searchVector, similarity } from './rank.js';
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

const model = builtInModel();
const tailOf = (samples: Float32Array) => model.embed(features.describe(samples, 'tail'), 'tail');
const headOf = (samples: Float32Array) => model.embed(features.describe(samples, 'head'), 'head');
const random = seededRandom(3);
const noise = Float32Array.from({ length: 8 * transitionRateHz }, () => 0.2 * (random.next() - 0.5));

describe('WindowFeatures', () => {
  it('hardly depends on gain', () => {
    const [plain, loud] = [tailOf(music(chord, 120)), tailOf(music(chord, 120, 4))];
    expect(similarity(plain, loud, model.dimensions)).toBeGreaterThan(0.8);
  });

  it('gives finite values for silence and refuses windows of less than a second', () => {
    expect(features.describe(new Float32Array(transitionRateHz), 'head').every(Number.isFinite)).toBe(true);
    expect(() => features.describe(new Float32Array(100), 'head')).toThrow(ShapeError);
  });
});

describe('rankHeads', () => {
  it('puts the continuation of the same music, quieter and faster, before other sounds', () => {
    const ranking = rankHeads(model, tailOf(music(chord, 120)), [
      { id: 'noise', code: headOf(noise) },
      { id: 'same', code: headOf(music(chord, 125, 0.5)) },
      { id: 'other', code: headOf(music([81, 85, 90], 77)) },
    ]);
    expect(ranking.ranked[0]).toBe('same');
    expect(ranking.scores[0]).toBeGreaterThan(ranking.scores[1]);
  });

  it('keeps the order of candidates with equal scores', () => {
    const code = headOf(noise);
    const ranking = rankHeads(model, code, [
      { id: 'b', code },
      { id: 'a', code },
    ]);
    expect(ranking.ranked).toEqual(['b', 'a']);
  });

  it('refuses rows and codes of another length', () => {
    expect(() => model.embed(new Float32Array(featureSize - 1), 'tail')).toThrow(ShapeError);
    expect(() => model.score(headOf(noise), new Float32Array(3))).toThrow(ShapeError);
  });
});

describe('searchVector', () => {
  it('has unit length', () => {
    const vector = searchVector(model, tailOf(music(chord, 120)));
    expect(similarity(vector, vector)).toBeCloseTo(1, 5);
  });
});

describe('explainPair', () => {
  it('names first the component whose absence changes the score most', () => {
    const [tail, head] = [tailOf(music(chord, 120)), headOf(music([60, 63, 67], 122))];
    const full = model.score(tail, head);
    const effects = explainPair(model, tail, head).map(({ code, value }) => {
      expect(value).toBeCloseTo(full - model.score(tail, head, [code]), 10);
      return Math.abs(value);
    });
    expect(effects).toHaveLength(model.components.length);
    expect(effects[0]).toBe(Math.max(...effects));
  });
});

describe('decideJoin', () => {
  it('mixes what goes on, and nothing with silence', () => {
    const tail = tailOf(music(chord, 120));
    expect(decideJoin(model, tail, headOf(music(chord, 120))).outcome).toBe('mix');
    const silent = decideJoin(model, tail, headOf(new Float32Array(8 * transitionRateHz)));
    expect(silent.outcome).toBe('do-not-mix');
    expect(silent.because).toContain('silence');
  });

  it('plays on where one recording was cut in two', () => {
    const [tail, head] = [tailOf(music(chord, 120)), headOf(noise)];
    expect(decideJoin(model, tail, head, { continuous: true }).outcome).toBe('gapless');
  });
});
