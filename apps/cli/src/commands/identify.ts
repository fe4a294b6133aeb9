import { clipLimitMs, type Engine } from '@earmark/engine';
import type { ListenRequest, ListenResult, Match } from '@earmark/monitoring';
import type { Arguments, Command } from '../command.js';
import { matchText } from '../match-text.js';
import type { Output } from '../output.js';
import { forEachInput, required, withEngine } from './session.js';

const catalogFlag: Command['flags'] = {
  catalog: { type: 'string', value: 'NAME', help: 'only this catalog (default: all)' },
};

/** `earmark identify`: short clips, each one query. */
export const identifyCommand: Command = {
  name: 'identify',
  usage: 'identify MEDIA... [--catalog NAME] [--json]',
  summary: `Looks up short clips (the whole file is one query, at most ${clipLimitMs / 1000} s); best match first.`,
  flags: catalogFlag,
  run: (args, output) => lookUp('identify', args, output, (engine, request) => engine.identifyFile(request)),
};

/** `earmark scan`: long audio or video, matches in time order. */
export const scanCommand: Command = {
  name: 'scan',
  usage: 'scan MEDIA... [--catalog NAME] [--json]',
  summary: 'Finds every catalog track inside long audio or video; matches in time order.',
  flags: catalogFlag,
  run: (args, output) => lookUp('scan', args, output, (engine, request) => engine.scanFile(request)),
};

function lookUp(
  label: string,
  args: Arguments,
  output: Output,
  ask: (engine: Engine, request: ListenRequest) => Promise<ListenResult>,
): Promise<number> {
  return withEngine(args, 'read', async (engine, signal) => {
    const { tenantId, concurrency } = engine;
    const catalogIds = await engine.catalogIds(args.text('catalog'));
    const paths = required(args, 'media file');
    return forEachInput(paths, { label, concurrency, output, signal }, async (path) => {
      const result = await ask(engine, { tenantId, catalogIds, path, signal });
      output.result({ path, ...result }, () => listing(path, result.matches));
      return result.durationMs;
    });
  });
}

function listing(path: string, matches: readonly Match[]): string {
  if (matches.length === 0) return `${path}: no match`;
  return [path, ...matches.map((match) => `  ${matchText(match)}`)].join('\n');
}
