import { Listener } from '@earmark/engine';
import type { Command } from '../command.js';
import { clockText } from '../output.js';
import { readSettings } from '../settings.js';
import { forEachInput, required, withInterrupt } from './session.js';

/** `earmark analyze`: beats, tempo, key, loudness and sections of media files. */
export const analyzeCommand: Command = {
  name: 'analyze',
  usage: 'analyze MEDIA... [--json]',
  summary: 'Finds beats, downbeats, tempo, key, loudness and sections.',
  async run(args, output) {
    const paths = required(args, 'media file');
    const settings = readSettings(args);
    const listener = new Listener(settings);
    try {
      return await withInterrupt((signal) =>
        forEachInput(
          paths,
          { label: 'analyze', concurrency: settings.concurrency, output, signal },
          async (path) => {
            const analysis = await listener.analyze(path, { signal });
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
