import type { BackfillReport } from '@earmark/engine';
import type { Arguments } from '../command.js';
import { UsageError } from '../command.js';
import type { Output } from '../output.js';
import { withEngine } from './session.js';

/**
 * `earmark analyze --missing`: analyses the tracks of the catalog that were not, or by older versions; prints one report.
 *
 * @returns exit code: 1 if a track failed
 */
export function analyzeMissing(args: Arguments, output: Output): Promise<number> {
  if (args.positionals.length > 0) throw new UsageError('--missing takes no media files');
  return withEngine(args, 'read', async ({ tenantId, transitions, concurrency }, signal) => {
    const report = await transitions.backfill({ tenantId, concurrency, signal });
    output.result(report, () => reportText(report));
    return report.failed.length > 0 ? 1 : 0;
  });
}

function reportText({ analyzed, recoded, withoutAudio, failed }: BackfillReport): string {
  return [
    `${analyzed} analysed, ${recoded} made anew from what is stored, ${withoutAudio} without audio, ${failed.length} failed`,
    ...failed.map(({ trackId, code }) => `  ${trackId}: ${code}`),
  ].join('\n');
}
