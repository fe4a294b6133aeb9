import { describe, expect, it } from 'vitest';
import type { TagResult } from '@earmark/tagging';
import { speechMusicOf } from './speech-music.js';

const range = (startMs: number, endMs: number) => ({ startMs, endMs, score: 0.9 });

const result: TagResult = {
  durationMs: 20_000,
  model: { id: 'm', version: '1.0.0' },
  ontology: { id: 'o', version: '1.0.0' },
  tags: [
    { facet: 'genre', tag: 'rock', score: 0.9, segments: [range(0, 20_000)] },
    { facet: 'instrument', tag: 'vocals', score: 0.9, segments: [range(5_000, 10_000)] },
    { facet: 'activity', tag: 'music', score: 0.9, segments: [range(2_500, 20_000)] },
    { facet: 'activity', tag: 'speech', score: 0.9, segments: [range(0, 5_000), range(15_000, 20_000)] },
  ],
  segments: [],
  shifts: [],
  ambiguous: [],
  sentence: { en: '', zh: '' },
};

describe('speechMusicOf', () => {
  it('lists speech, music and singing in order of time and nothing else', () => {
    expect(speechMusicOf(result)).toEqual([
      { startMs: 0, endMs: 5_000, label: 'speech' },
      { startMs: 2_500, endMs: 20_000, label: 'music' },
      { startMs: 5_000, endMs: 10_000, label: 'vocals' },
      { startMs: 15_000, endMs: 20_000, label: 'speech' },
    ]);
  });
});
