import { type ModelEntry, networkOf } from '@earmark/models';
import type { NewTagging } from '@earmark/storage';
import type { TagResult } from '@earmark/tagging';

/** What a thread said of a file, and the outputs that it was made from. */
export type HeardTags = Readonly<{ tags: TagResult; outputs: Uint8Array }>;

/** What to store of a track: all but the scores of tags that are not said. */
export function toStore(entry: ModelEntry, { tags, outputs }: HeardTags): NewTagging {
  const { embedding = [], scores: _scores, segments, ...said } = tags;
  return {
    ...said,
    segments: segments.map(({ scores: _all, ...segment }) => segment),
    embedding: Float32Array.from(embedding),
    hearing: { network: networkOf(entry.manifest), outputs },
  };
}
