import type { TagResult } from '@earmark/tagging';

/** What a part of a recording holds; parts of different labels may overlap (speech over music). */
export type SpeechMusicRange = Readonly<{
  /** Integer milliseconds. */
  startMs: number;
  endMs: number;
  label: 'speech' | 'music' | 'vocals' | 'silence';
}>;

/** Where a tagger heard speech, music, singing and silence, in order of time. */
export function speechMusicOf({ tags }: TagResult): SpeechMusicRange[] {
  const ranges = tags.flatMap(({ facet, tag, segments }): SpeechMusicRange[] => {
    const label = labelOf(facet, tag);
    if (label === undefined) return [];
    return segments.map(({ startMs, endMs }) => ({ startMs, endMs, label }));
  });
  return ranges.sort((a, b) => a.startMs - b.startMs || b.endMs - a.endMs);
}

function labelOf(facet: string, tag: string): SpeechMusicRange['label'] | undefined {
  if (facet === 'instrument') return tag === 'vocals' ? 'vocals' : undefined;
  if (facet !== 'activity') return undefined;
  return tag === 'speech' || tag === 'music' || tag === 'silence' ? tag : undefined;
}
