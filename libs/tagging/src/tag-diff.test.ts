import { describe, expect, it } from 'vitest';
import { diffTags, isEmptyDiff } from './tag-diff.js';
import type { TrackTag } from './tag-result.js';

const tag = (name: string, startMs: number, endMs: number): TrackTag => ({
  facet: 'mood',
  tag: name,
  score: 0.5,
  segments: [{ startMs, endMs, score: 0.5 }],
});

describe('difference of tags', () => {
  it('names what is added, what is dropped, and what holds elsewhere now', () => {
    const before = [tag('happy', 0, 10_000), tag('sad', 0, 10_000), tag('epic', 0, 10_000)];
    const after = [tag('funny', 0, 5000), tag('sad', 1000, 11_000), tag('epic', 40_000, 50_000)];
    expect(diffTags(before, after)).toEqual({
      added: [{ facet: 'mood', tag: 'funny', score: 0.5 }],
      dropped: [{ facet: 'mood', tag: 'happy', score: 0.5 }],
      moved: [
        {
          facet: 'mood',
          tag: 'epic',
          from: [{ startMs: 0, endMs: 10_000 }],
          to: [{ startMs: 40_000, endMs: 50_000 }],
        },
      ],
    });
  });

  it('is empty when places shift by less than half', () => {
    expect(isEmptyDiff(diffTags([tag('sad', 0, 10_000)], [tag('sad', 2500, 12_500)]))).toBe(true);
    expect(isEmptyDiff(diffTags([], []))).toBe(true);
  });
});
