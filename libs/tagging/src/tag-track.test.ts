import { ShapeError } from '@earmark/kernel';
import { describe, expect, it } from 'vitest';
import { UnknownTagError } from './ontology/ontology-error.js';
import { outputsOf, plainModel, repeated } from './outputs-fixture.js';
import { tagTrack } from './tag-track.js';
import type { TagResult } from './tag-result.js';

const names = ({ tags }: Pick<TagResult, 'tags'>): string[] =>
  tags.map(({ facet, tag }) => `${facet}/${tag}`);
const calmPiano = { 'mood/relaxing-calm': 3, 'instrument/piano': 4 };
const tenseStrings = { 'mood/exciting-energetic': 3, 'instrument/strings': 4 };
const noMusic = { 'activity/music': -6 };

describe('tags of a track', () => {
  it('says what reaches its threshold, with parents, by facet and score', () => {
    const result = tagTrack(
      plainModel,
      outputsOf(repeated({ 'genre/metal': 2, 'instrument/drums': 1, 'instrument/electric-guitar': 3 }, 8)),
    );
    expect(names(result)).toEqual([
      'genre/metal',
      'genre/rock',
      'instrument/electric-guitar',
      'instrument/guitar',
      'instrument/drums',
      'instrument/percussion',
      'activity/music',
    ]);
    expect(result.tags[0].score).toBeCloseTo(0.8808, 4);
    expect(result.tags[0].segments).toEqual([{ startMs: 0, endMs: 22_500, score: result.tags[0].score }]);
  });

  it('leaves experimental tags out unless asked', () => {
    const model = {
      ...plainModel,
      tags: plainModel.tags.map((head) => ({ ...head, experimental: head.facet !== 'activity' })),
    };
    const outputs = outputsOf(repeated(calmPiano, 8));
    expect(names(tagTrack(model, outputs))).toEqual(['activity/music']);
    expect(names(tagTrack(model, outputs, { experimental: true }))).toContain('mood/relaxing-calm');
  });

  it('counts a mood that holds for 15 % of the track though its mean is low', () => {
    const held = outputsOf([...repeated(calmPiano, 6), ...repeated({ 'instrument/piano': 4 }, 24)]);
    const brief = outputsOf([...repeated(calmPiano, 2), ...repeated({ 'instrument/piano': 4 }, 28)]);
    expect(names(tagTrack(plainModel, held))).toContain('mood/relaxing-calm');
    expect(names(tagTrack(plainModel, brief))).not.toContain('mood/relaxing-calm');
  });

  it('counts a mood held for 20 s without a break in a long track', () => {
    const held = outputsOf([...repeated(calmPiano, 9), ...repeated({ 'instrument/piano': 4 }, 200)]);
    const mood = tagTrack(plainModel, held).tags.find(({ facet }) => facet === 'mood');
    expect(mood?.segments).toHaveLength(1);
    expect(mood?.segments[0].startMs).toBe(0);
    expect(mood?.segments[0].endMs).toBeGreaterThanOrEqual(20_000);
  });

  it('never says both of an excluding pair', () => {
    const result = tagTrack(
      plainModel,
      outputsOf(repeated({ 'instrument/instrumental': 1, 'instrument/choir': 2 }, 6)),
    );
    expect(names(result)).toEqual(['instrument/choir', 'instrument/vocals', 'activity/music']);
  });

  it('calls opposed moods of one moment ambiguous when they are level, and decides when they are not', () => {
    const level = tagTrack(plainModel, outputsOf(repeated({ 'mood/happy': 2, 'mood/sad': 2.1 }, 6)));
    expect(level.segments[2].tags.map(({ tag }) => tag)).toEqual(['music']);
    expect(level.segments[2].ambiguous?.[0].candidates.map(({ tag }) => tag)).toEqual(['sad', 'happy']);
    expect(names(level)).toEqual(['activity/music']);
    expect(level.ambiguous).toEqual([expect.objectContaining({ facet: 'mood' })]);
    const clear = tagTrack(plainModel, outputsOf(repeated({ 'mood/happy': 0.2, 'mood/sad': 3 }, 6)));
    expect(names(clear)).toEqual(['mood/sad', 'activity/music']);
  });

  it('calls a facet ambiguous when its best tags only come close', () => {
    const result = tagTrack(plainModel, outputsOf(repeated({ 'genre/jazz': -0.4, 'genre/blues': -0.6 }, 6)));
    expect(result.ambiguous[0].facet).toBe('genre');
    expect(result.ambiguous[0].candidates.map(({ tag }) => tag)).toEqual(['jazz', 'blues']);
  });
});

describe('shifts', () => {
  const glued = outputsOf([...repeated(calmPiano, 28), ...repeated(tenseStrings, 28)]);

  it('reports where a mood turns into its opposite, within one hop', () => {
    const { shifts, tags } = tagTrack(plainModel, glued);
    expect(shifts).toEqual([
      {
        atMs: 71_250,
        from: ['relaxing-calm'],
        to: ['exciting-energetic'],
        sentence: {
          en: 'at 1:11 calm piano turns into energetic strings',
          zh: '1:11，平静的钢琴转为充满活力的弦乐',
        },
      },
    ]);
    expect(names({ tags })).toEqual(
      expect.arrayContaining(['mood/relaxing-calm', 'mood/exciting-energetic']),
    );
  });

  it('says both moods with their places, though neither reaches its threshold all the time', () => {
    const soft = outputsOf([
      ...repeated({ 'mood/relaxing-calm': -0.2, 'mood/exciting-energetic': -3 }, 12),
      ...repeated({ 'mood/relaxing-calm': -3, 'mood/exciting-energetic': -0.2, 'instrument/strings': 4 }, 12),
    ]);
    const { tags, shifts } = tagTrack(plainModel, soft);
    expect(shifts).toHaveLength(1);
    expect(
      tags
        .filter(({ facet }) => facet === 'mood')
        .map(({ tag, segments }) => [tag, segments[0].startMs, segments[0].endMs] as const)
        .sort(([, a], [, b]) => a - b),
    ).toEqual([
      ['relaxing-calm', 0, 31_250],
      ['exciting-energetic', 31_250, 62_500],
    ]);
  });

  it('finds the opposed mood of a half that the whole track draws the other way', () => {
    const biased = outputsOf([
      ...repeated({ 'mood/relaxing-calm': 1.5, 'mood/exciting-energetic': 1 }, 12),
      ...repeated({ 'mood/relaxing-calm': 0, 'mood/exciting-energetic': 2.5, 'instrument/strings': 4 }, 12),
    ]);
    const wrong = outputsOf([
      ...repeated({ 'mood/relaxing-calm': 0.5, 'mood/exciting-energetic': 1 }, 12),
      ...repeated({ 'mood/relaxing-calm': -1, 'mood/exciting-energetic': 2.5, 'instrument/strings': 4 }, 12),
    ]);
    for (const outputs of [biased, wrong]) {
      const { segments, shifts } = tagTrack(plainModel, outputs, { all: true });
      expect(shifts.map(({ atMs }) => atMs)).toEqual([31_250]);
      const { mood } = segments[4].scores ?? {};
      expect(mood?.['relaxing-calm']).toBeGreaterThan(mood?.['exciting-energetic'] ?? 1);
    }
  });

  it('reports none where the sound changes and the mood does not', () => {
    const outputs = outputsOf([
      ...repeated(calmPiano, 12),
      ...repeated({ 'mood/relaxing-calm': 3, 'instrument/strings': 4 }, 12),
    ]);
    expect(tagTrack(plainModel, outputs).shifts).toEqual([]);
  });

  it('reports none for the last seconds of a long track, which hold no mood of their own', () => {
    const ending = (count: number) =>
      tagTrack(plainModel, outputsOf([...repeated(calmPiano, 60), ...repeated(tenseStrings, count)])).shifts;
    expect(ending(3)).toEqual([]);
    expect(ending(10)).toHaveLength(1);
  });

  it('puts the shift into a sentence in both languages', () => {
    expect(tagTrack(plainModel, glued).sentence).toEqual({
      en: 'calm piano; from 1:11 energetic strings',
      zh: '平静的钢琴；1:11 起充满活力的弦乐',
    });
  });

  it('finds two shifts, there and back', () => {
    const outputs = outputsOf([
      ...repeated(calmPiano, 10),
      ...repeated(tenseStrings, 10),
      ...repeated(calmPiano, 10),
    ]);
    expect(tagTrack(plainModel, outputs).shifts.map(({ atMs }) => atMs)).toEqual([26_250, 51_250]);
  });

  it('reports none in a steady track with scatter', () => {
    const scatter = (k: number) => 1.5 * Math.sin(k * 2.4);
    const segments = Array.from({ length: 60 }, (_, k) => ({
      'mood/relaxing-calm': 1 + scatter(k),
      'mood/exciting-energetic': -1 - scatter(k),
    }));
    expect(tagTrack(plainModel, outputsOf(segments)).shifts).toEqual([]);
  });

  it('reports none for a mood of a few seconds', () => {
    const outputs = outputsOf([
      ...repeated(calmPiano, 20),
      ...repeated(tenseStrings, 2),
      ...repeated(calmPiano, 20),
    ]);
    expect(tagTrack(plainModel, outputs).shifts).toEqual([]);
  });
});

describe('shifts by contrasts of the model', () => {
  const weightsOf = (weights: Readonly<Record<string, number>>): readonly number[] =>
    plainModel.tags.map(({ facet, tag }) => weights[`${facet}/${tag}`] ?? 0);
  /** Happy against scary-dark is heard in other moods than these. */
  const model = {
    ...plainModel,
    contrasts: [
      {
        moods: ['happy', 'scary-dark'] as const,
        weights: weightsOf({ 'mood/funny': 0.5, 'mood/angry-aggressive': -0.5 }),
        offset: -1,
      },
    ],
  };
  const merry = { 'mood/happy': -1, 'mood/scary-dark': 0, 'mood/funny': -2, 'instrument/piano': 3 };
  const gloomy = {
    'mood/happy': -1,
    'mood/scary-dark': 0,
    'mood/angry-aggressive': -1,
    'instrument/strings': 3,
  };

  it('put the contrast into the scores of both sides, levelled where one mood leads on both', () => {
    const outputs = outputsOf([...repeated(merry, 12), ...repeated(gloomy, 12)]);
    const { shifts, segments } = tagTrack(model, outputs, { all: true });
    expect(shifts).toMatchObject([{ atMs: 31_250, from: ['happy'], to: ['scary-dark'] }]);
    const leads = [3, 20].map((k) => {
      const mood = segments[k].scores?.mood ?? {};
      return mood.happy - mood['scary-dark'];
    });
    expect(leads[0]).toBeGreaterThan(0.1);
    expect(leads[1]).toBeLessThan(-0.1);
  });

  it('are not reported where the sound stays, and leave such tracks as they are', () => {
    const steady = outputsOf(repeated(merry, 24));
    expect(tagTrack(model, steady, { all: true })).toEqual(tagTrack(plainModel, steady, { all: true }));
  });

  it('name no mood on both sides, whatever weaker pairs say', () => {
    const drawn = { ...gloomy, 'mood/happy': 3, 'mood/sad': -4 };
    const outputs = outputsOf([
      ...repeated({ ...merry, 'mood/happy': 0.5, 'mood/sad': 2 }, 12),
      ...repeated(drawn, 12),
    ]);
    const [{ from, to }] = tagTrack(model, outputs).shifts;
    expect(from).toContain('happy');
    expect(to).not.toContain('happy');
  });

  it('are alone in making borders', () => {
    const outputs = outputsOf([...repeated(calmPiano, 12), ...repeated(tenseStrings, 12)]);
    expect(tagTrack(plainModel, outputs).shifts).toHaveLength(1);
    expect(tagTrack(model, outputs).shifts).toEqual([]);
  });

  it('name a mood without labels of its own at the shift, not among the tags', () => {
    const tags = model.tags.map((head) => ({ ...head, experimental: head.tag === 'happy' }));
    const outputs = outputsOf([...repeated(merry, 12), ...repeated(gloomy, 12)]);
    const result = tagTrack({ ...model, tags }, outputs);
    expect(result.shifts[0].from).toEqual(['happy']);
    expect(names(result)).not.toContain('mood/happy');
    expect(names(result)).toContain('mood/scary-dark');
    expect(result.sentence.en).toBe('happy piano; from 0:31 dark strings');
  });
});

describe('audio without music', () => {
  it('says nothing of silence but that it is silent', () => {
    const result = tagTrack(plainModel, outputsOf(repeated('silent', 4)), { all: true });
    expect(names(result)).toEqual(['activity/silence']);
    expect(result.embedding).toEqual([0, 0]);
    expect(result.scores?.mood?.happy).toBe(0);
    expect(result.scores?.activity).toEqual({ speech: 0, music: 0, silence: 1 });
    expect(result.sentence.en).toBe('silence');
  });

  it('gives a talk no genre, whatever the model thinks of it', () => {
    const talk = { ...noMusic, 'activity/speech': 5, 'genre/hiphop': 4, 'instrument/vocals': 4 };
    const result = tagTrack(plainModel, outputsOf(repeated(talk, 6)));
    expect(names(result)).toEqual(['activity/speech']);
    expect(result.segments[0].tags.map(({ tag }) => tag)).toEqual(['speech']);
    expect(result.sentence).toEqual({ en: 'speech, no music', zh: '讲话，无音乐' });
  });

  it('lets music go on through a segment in which a voice drowns it, and speech stop where it stops', () => {
    const music = { 'instrument/piano': 3, 'activity/music': 4 };
    const drowned = { 'instrument/piano': 3, 'activity/music': -2, 'activity/speech': 5 };
    const { segments } = tagTrack(
      plainModel,
      outputsOf([...repeated(music, 4), drowned, ...repeated(music, 4)]),
    );
    const said = (tag: string) =>
      segments.flatMap(({ tags }, k) => (tags.some((one) => one.tag === tag) ? [k] : []));
    expect(said('music')).toHaveLength(9);
    expect(said('speech')).toEqual([4]);
  });

  it('says nothing of noise', () => {
    const result = tagTrack(plainModel, outputsOf(repeated({ ...noMusic, 'genre/experimental': 3 }, 6)));
    expect(result.tags).toEqual([]);
    expect(result.sentence.en).toBe('no music recognised');
  });

  it('tags only the music of a file that begins with a talk and a pause', () => {
    const talk = { ...noMusic, 'activity/speech': 5 };
    const result = tagTrack(
      plainModel,
      outputsOf([...repeated(talk, 8), ...repeated('silent', 4), ...repeated(calmPiano, 8)]),
    );
    const piano = result.tags.find(({ tag }) => tag === 'piano');
    expect(piano?.segments).toEqual([
      { startMs: 31_250, endMs: 52_500, score: expect.any(Number) as number },
    ]);
    expect(names(result)).toEqual(
      expect.arrayContaining(['activity/speech', 'activity/silence', 'activity/music']),
    );
  });
});

describe('result with everything', () => {
  it('has every tag of the model for track and segments, and the embedding', () => {
    const result = tagTrack(plainModel, outputsOf(repeated(calmPiano, 3)), { all: true });
    for (const scores of [result.scores, ...result.segments.map((segment) => segment.scores)]) {
      const count = Object.values(scores ?? {}).reduce((sum, facet) => sum + Object.keys(facet).length, 0);
      expect(count).toBe(plainModel.tags.length + 1);
    }
    expect(Math.hypot(...(result.embedding ?? []))).toBeCloseTo(2, 4);
  });

  it('gives overlapping segments of 5 s every 2.5 s that end with the track', () => {
    const { segments } = tagTrack(plainModel, { ...outputsOf(repeated(calmPiano, 3)), durationMs: 9000 });
    expect(segments.map(({ startMs, endMs }) => [startMs, endMs])).toEqual([
      [0, 5000],
      [2500, 7500],
      [5000, 9000],
    ]);
  });

  it('works on a track of one short segment', () => {
    const result = tagTrack(plainModel, { ...outputsOf([calmPiano]), durationMs: 1000 });
    expect(result.segments).toHaveLength(1);
    expect(result.segments[0].endMs).toBe(1000);
    expect(names(result)).toContain('instrument/piano');
  });
});

describe('bad input', () => {
  it('refuses outputs of another model', () => {
    const outputs = { ...outputsOf([calmPiano]), logits: new Float32Array(7) };
    expect(() => tagTrack(plainModel, outputs)).toThrow(ShapeError);
  });

  it('refuses a model with a tag that the vocabulary lacks', () => {
    const [head] = plainModel.tags;
    const model = { ...plainModel, tags: [{ ...head, tag: 'vaporwave' }, ...plainModel.tags.slice(1)] };
    expect(() => tagTrack(model, outputsOf([{}], plainModel))).toThrow(UnknownTagError);
  });
});
