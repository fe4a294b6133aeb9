import { Listener } from '@earmark/engine';
import { findModel, ModelRegistry } from '@earmark/models';
import type { TagResult } from '@earmark/tagging';
import type { Command } from '../command.js';
import { clockText } from '../output.js';
import { readSettings } from '../settings.js';
import { forEachInput, required, withInterrupt } from './session.js';

/** `earmark tag`: genre, scene, instrument and mood of media files, with their places in time. */
export const tagCommand: Command = {
  name: 'tag',
  usage: 'tag MEDIA... [--all] [--experimental] [--model ID@VERSION|FOLDER] [--json]',
  summary: 'Says what music is: genre, scene, instrument and mood, segment by segment.',
  flags: {
    all: { type: 'boolean', help: 'add the score of every tag, for track and segments, and the embedding' },
    experimental: { type: 'boolean', help: 'say tags that no labelled data has proven, too' },
    model: { type: 'string', value: 'MODEL', help: 'id@version, or a folder with model and manifest' },
  },
  async run(args, output) {
    const paths = required(args, 'media file');
    const settings = readSettings(args);
    const registry = await ModelRegistry.open(settings.modelFolders);
    const choice = {
      modelFolder: (await findModel(registry, args.text('model'))).folder,
      all: args.on('all'),
      experimental: args.on('experimental'),
    };
    const listener = new Listener(settings);
    try {
      return await withInterrupt((signal) =>
        forEachInput(
          paths,
          { label: 'tag', concurrency: settings.concurrency, output, signal },
          async (path) => {
            const { tags, partial } = await listener.tag(path, choice, { signal });
            output.result({ path, ...tags, ...(partial === true && { partial }) }, () => tagText(path, tags));
            return tags.durationMs;
          },
        ),
      );
    } finally {
      await listener.close();
    }
  },
};

/** Sentence in both languages, tags and shifts of one file, for people. */
function tagText(path: string, { durationMs, sentence, tags, shifts }: TagResult): string {
  return [
    `${path} (${clockText(durationMs)}): ${sentence.en}`,
    `  ${sentence.zh}`,
    ...tags.map(({ facet, tag, score }) => `  ${facet.padEnd(11)}${tag.padEnd(24)}${score.toFixed(2)}`),
    ...shifts.map(
      ({ atMs, from, to }) => `  shift at ${clockText(atMs)}: ${from.join(', ')} -> ${to.join(', ')}`,
    ),
  ].join('\n');
}
