import type { RetagReport } from '@earmark/engine';
import { DomainError } from '@earmark/kernel';
import type { RetagChange } from '@earmark/storage';
import type { Command } from '../command.js';
import { clockText, type Progress } from '../output.js';
import { withEngine } from './session.js';

/** `earmark retag`: every track's tags by another model, or what that would change. */
export const retagCommand: Command = {
  name: 'retag',
  usage: 'retag [--model ID@VERSION|FOLDER] [--dry-run] [--catalog NAME] [--json]',
  summary:
    'Tags every track with another model and lets it speak; a line a track whose tags change. Repeat a run that broke off.',
  flags: {
    model: {
      type: 'string',
      value: 'MODEL',
      help: 'id@version, or a folder with model and manifest (default: the newest earmark-tagger)',
    },
    'dry-run': { type: 'boolean', help: 'only say what would change' },
    catalog: { type: 'string', value: 'NAME', help: 'only this catalog' },
  },
  run: (args, output) =>
    withEngine(args, 'read', async (engine, signal) => {
      const model = args.text('model');
      let progress: Progress | undefined;
      let done = 0;
      try {
        const report = await engine.tagging.retag({
          tenantId: engine.tenantId,
          catalogIds: await engine.catalogIds(args.text('catalog')),
          dryRun: args.on('dry-run'),
          concurrency: engine.concurrency,
          signal,
          ...(model !== undefined && { model }),
          onProgress: (now) => {
            progress ??= output.progress('retag', now.total);
            progress.advance(now.done - done);
            done = now.done;
          },
          onChange: (change) => {
            if (change.error === undefined) output.result(change, () => changeText(change));
            else output.failure(change.path ?? change.trackId, new TrackFailure(change.error));
          },
        });
        output.note(reportText(report));
        return report.failed > 0 ? 1 : 0;
      } finally {
        progress?.end();
      }
    }),
};

/** Why a track could not be tagged, as the engine reported it. */
class TrackFailure extends DomainError {
  readonly code: string;

  constructor({ code, title }: NonNullable<RetagChange['error']>) {
    super(title);
    this.code = code;
  }
}

function reportText({ model, dryRun, ...count }: RetagReport): string {
  const { tracks, changed, unchanged, failed, listened } = count;
  return [
    `${dryRun ? 'would tag' : 'tagged'} ${tracks} tracks with ${model.id}@${model.version}`,
    `${changed} changed, ${unchanged} unchanged, ${failed} failed, ${listened} heard again`,
    ...(dryRun || count.promoted ? [] : ['every track failed: the model before goes on speaking']),
  ].join('; ');
}

function changeText({ trackId, path, added = [], dropped = [], moved = [] }: RetagChange): string {
  const places = (ranges: readonly Readonly<{ startMs: number; endMs: number }>[]): string =>
    ranges.map(({ startMs, endMs }) => `${clockText(startMs)}-${clockText(endMs)}`).join(' ');
  return [
    `${path ?? trackId}:`,
    ...added.map(({ facet, tag, score }) => `  + ${facet}/${tag} ${score.toFixed(2)}`),
    ...dropped.map(({ facet, tag, score }) => `  - ${facet}/${tag} ${score.toFixed(2)}`),
    ...moved.map(({ facet, tag, from, to }) => `  ~ ${facet}/${tag} ${places(from)} -> ${places(to)}`),
  ].join('\n');
}
