import type { Command } from '../command.js';
import { clockText } from '../output.js';
import { withEngine } from './session.js';

/** `earmark stats`: size of catalog and index. */
export const statsCommand: Command = {
  name: 'stats',
  usage: 'stats [--json]',
  summary: 'Prints how much is in the catalog and how large the index is.',
  run: (args, output) =>
    withEngine(args, 'read', async (engine) => {
      const stats = await engine.stats(engine.tenantId);
      const megabytes = (stats.index.bytes / 1e6).toFixed(1);
      output.result(stats, () =>
        [
          `tracks     ${stats.tracks}, ${clockText(stats.durationMs)} of music`,
          `index      ${stats.index.tracks} tracks, ${stats.index.landmarks} landmarks, ${megabytes} MB`,
        ].join('\n'),
      );
      return 0;
    }),
};
