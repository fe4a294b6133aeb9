import type { Match } from '@earmark/monitoring';
import type { Command } from '../command.js';
import { matchText } from '../match-text.js';
import { forEachInput, required, withEngine } from './session.js';

const clipLimitMs = 60_000;

/** `earmark identify`: short clips, each one query. */
export const identifyCommand: Command = {
  name: 'identify',
  usage: 'identify MEDIA... [--catalog NAME] [--json]',
  summary: `Looks up short clips (the whole file is one query, at most ${clipLimitMs / 1000} s); best match first.`,
  flags: { catalog: { type: 'string', value: 'NAME', help: 'only this catalog (default: all)' } },
  run: (args, output) =>
    withEngine(args, 'read', async (engine, signal) => {
      const catalogIds = await engine.catalogIds(args.text('catalog'));
      return forEachInput(
        required(args, 'media file'),
        { label: 'identify', concurrency: engine.concurrency, output, signal },
        async (path) => {
          const result = await engine.identifyFile({ tenantId: engine.tenantId, catalogIds, path, signal });
          output.result({ path, ...result }, () => listing(path, result.matches));
          return result.durationMs;
        },
      );
    }),
};

/** `earmark scan`: long audio or video, matches in time order. */
export const scanCommand: Command = {
  name: 'scan',
  usage: 'scan MEDIA... [--catalog NAME] [--json]',
  summary: 'Finds every catalog track inside long audio or video; matches in time order.',
  flags: { catalog: { type: 'string', value: 'NAME', help: 'only this catalog (default: all)' } },
  run: (args, output) =>
    withEngine(args, 'read', async (engine, signal) => {
      const catalogIds = await engine.catalogIds(args.text('catalog'));
      return forEachInput(
        required(args, 'media file'),
        { label: 'scan', concurrency: engine.concurrency, output, signal },
        async (path) => {
          const result = await engine.scanFile({ tenantId: engine.tenantId, catalogIds, path, signal });
          output.result({ path, ...result }, () => listing(path, result.matches));
          return result.durationMs;
        },
      );
    }),
};

function listing(path: string, matches: readonly Match[]): string {
  if (matches.length === 0) return `${path}: no match`;
  return [path, ...matches.map((match) => `  ${matchText(match)}`)].join('\n');
}
