import type { ModelVersion } from '@earmark/engine';
import { type Command, UsageError } from '../command.js';
import { withEngine } from './session.js';

/** `earmark models`: which tagging models there are, and which one speaks. */
export const modelsCommand: Command = {
  name: 'models',
  usage: 'models [list | promote ID@VERSION | rollback] [--json]',
  summary:
    'Lists tagging models; promotes one, or goes back to the one before. Stored tags of all versions are kept.',
  run: (args, output) => {
    const [action = 'list', reference, ...rest] = args.positionals;
    const isUsable =
      rest.length === 0 &&
      (action === 'promote') === (reference !== undefined) &&
      ['list', 'promote', 'rollback'].includes(action);
    if (!isUsable) throw new UsageError('say list, promote ID@VERSION, or rollback');
    return withEngine(args, 'read', async ({ tagging, tenantId }) => {
      if (reference !== undefined) {
        const [id = '', version] = reference.split('@');
        if (version === undefined) throw new UsageError('name the version too: ID@VERSION');
        await tagging.promote(tenantId, { id, version });
      }
      if (action === 'rollback' && (await tagging.rollback(tenantId)) === undefined) {
        output.note('no other model spoke before');
        return 1;
      }
      const { versions, problems } = await tagging.models(tenantId);
      for (const version of versions) output.result(version, () => versionText(version));
      for (const problem of problems) output.failure(problem.folder, problem);
      return problems.length > 0 ? 1 : 0;
    });
  },
};

function versionText({ id, version, state, tracks, about }: ModelVersion): string {
  const size =
    about === undefined
      ? ''
      : `${about.tags} tags (${about.experimental} experimental), ${(about.bytes / 1e6).toFixed(1)} MB`;
  return `${`${id}@${version}`.padEnd(28)}${state.padEnd(11)}${String(tracks).padStart(7)} tracks  ${size}`.trimEnd();
}
