import { Listener } from '@earmark/engine';
import { findModel, ModelRegistry } from '@earmark/models';
import type { Command } from '../command.js';
import { clockText } from '../output.js';
import { readSettings } from '../settings.js';
import { analyzeMissing } from './analyze-missing.js';
import { forEachInput, required, withInterrupt } from './session.js';

/** `earmark analyze`: beats, tempo, key, loudness, sections, speech and music of media files. */
export const analyzeCommand: Command = {
  name: 'analyze',
  usage: 'analyze MEDIA... [--no-speech] [--model ID@VERSION|FOLDER] [--json], or analyze --missing',
  summary: 'Finds beats, downbeats, tempo, key, loudness, sections, speech and music.',
  flags: {
    missing: { type: 'boolean', help: 'the tracks of the catalog that were not, or by older versions' },
    'no-speech': { type: 'boolean', help: 'leave out where there is speech, music and singing: faster' },
    model: {
      type: 'string',
      value: 'MODEL',
      help: 'tagging model that hears speech: id@version, or a folder',
    },
  },
  async run(args, output) {
    if (args.on('missing')) return analyzeMissing(args, output);
    const paths = required(args, 'media file');
    const settings = readSettings(args);
    const modelFolder = args.on('no-speech')
      ? undefined
      : (await findModel(await ModelRegistry.open(settings.modelFolders), args.text('model'))).folder;
    const listener = new Listener(settings);
    try {
      return await withInterrupt((signal) =>
        forEachInput(
          paths,
          { label: 'analyze', concurrency: settings.concurrency, output, signal },
          async (path) => {
            const analysis = await listener.analyze(path, { signal, modelFolder });
            const { durationMs, tempoBpm, key, loudness } = analysis;
            output.result({ path, ...analysis }, () =>
              [
                `${path}: ${clockText(durationMs)}`,
                tempoBpm === undefined ? 'no beat' : `${tempoBpm.toFixed(1)} bpm`,
                key === undefined ? 'no key' : `${key.tonic} ${key.mode}`,
                `${loudness.integratedLufs?.toFixed(1) ?? '-inf'} LUFS`,
              ].join(', '),
            );
            return durationMs;
          },
        ),
      );
    } finally {
      await listener.close();
    }
  },
};
