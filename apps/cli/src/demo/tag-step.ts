import type { TrackTag } from '@earmark/tagging';
import type { DemoStep } from './step.js';

/** Characters of a track's time line. */
const lineWidth = 30;
const mostTags = 3;

/** Shows what each sample is: a sentence, and its strongest tags on a time line. */
export const tagStep: DemoStep = {
  title: 'Say what the tracks are: tags on a time line (# where a tag holds)',
  async run({ engine, tracks, say }) {
    let tagged = 0;
    for (const { title, trackId } of tracks) {
      const tagging = await engine.tagging.tagsOf(engine.tenantId, trackId);
      if (tagging === undefined) continue;
      tagged++;
      say(`  ${title.padEnd(30)} ${tagging.sentence.en} / ${tagging.sentence.zh}`);
      const shown = tagging.tags.filter(({ facet }) => facet !== 'activity').slice(0, mostTags);
      for (const tag of shown) {
        say(`    ${tag.tag.padEnd(22)} ${tag.score.toFixed(2)} |${timeline(tag, tagging.durationMs)}|`);
      }
    }
    return tagged === tracks.length;
  },
};

function timeline({ segments }: TrackTag, durationMs: number): string {
  return Array.from({ length: lineWidth }, (_, i) => {
    const atMs = ((i + 0.5) / lineWidth) * durationMs;
    return segments.some(({ startMs, endMs }) => startMs <= atMs && atMs < endMs) ? '#' : '.';
  }).join('');
}
