import { describe, expect, it } from 'vitest';
import { toJams } from './jams.js';
import { outputsOf, plainModel, repeated } from './outputs-fixture.js';
import { tagTrack } from './tag-track.js';
import { applyVerdicts, type TagVerdict } from './verdict.js';

const result = tagTrack(
  plainModel,
  outputsOf([
    ...repeated({ 'mood/happy': 3, 'instrument/piano': 3 }, 8),
    ...repeated({ 'mood/sad': 3, 'instrument/piano': 3 }, 8),
  ]),
);
const verdict = (tag: string, said: TagVerdict['verdict']): TagVerdict => ({
  facet: 'mood',
  tag,
  verdict: said,
  author: 'ada',
  decidedAtMs: 0,
});

describe('verdicts', () => {
  const judged = applyVerdicts(result.tags, [
    verdict('sad', 'rejected'),
    verdict('happy', 'confirmed'),
    verdict('dreamy', 'confirmed'),
  ]);

  it('overrule the model without touching what it said', () => {
    expect(judged.filter(({ facet }) => facet === 'mood').map(({ tag, score }) => [tag, score])).toEqual([
      ['happy', 1],
      ['dreamy', 1],
    ]);
    expect(result.tags.some(({ tag }) => tag === 'sad')).toBe(true);
  });

  it('appear in JAMS as manual annotations, the model as a program with times in seconds', () => {
    const jams = toJams(result, judged, { title: 'Song', artists: ['Ada', 'Bob'] });
    expect(jams.file_metadata).toMatchObject({ title: 'Song', artist: 'Ada, Bob', duration: 42.5 });
    const sources = jams.annotations.map((one) => [one.annotation_metadata.data_source, one.sandbox.facet]);
    expect(sources).toEqual([
      ['program', 'instrument'],
      ['program', 'activity'],
      ['manual', 'mood'],
    ]);
    expect(jams.annotations[0].data).toEqual([
      { time: 0, duration: 42.5, value: 'piano', confidence: expect.any(Number) as number },
    ]);
    expect(jams.annotations[2].data.map(({ value, time }) => [value, time])).toEqual([
      ['happy', 0],
      ['dreamy', 0],
    ]);
  });
});
