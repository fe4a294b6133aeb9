import type { Engine, NextResult, TransitionFrom } from '@earmark/engine';
import { isId } from '@earmark/kernel';
import { type Command, UsageError } from '../command.js';
import { clockText } from '../output.js';
import { withEngine } from './session.js';

const mostAnswers = 100;

/** `earmark next`: what fits after a track or file, with the plan of the mix and the reasons. */
export const nextCommand: Command = {
  name: 'next',
  usage: 'next TRACK|MEDIA [--k 10] [--at MS] [--json]',
  summary: 'Says which catalog tracks fit next, how to mix them, and why.',
  flags: {
    k: { type: 'string', value: 'N', help: `most answers, 1 to ${mostAnswers} (default 10)` },
    at: { type: 'string', value: 'MS', help: 'where the transition shall begin, ms (default near the end)' },
  },
  async run(args, output) {
    const [input, ...others] = args.positionals;
    if (input === undefined || others.length > 0) throw new UsageError('name one track id or media file');
    const k = args.number('k') ?? 10;
    const atMs = args.number('at');
    if (!Number.isInteger(k) || k < 1 || k > mostAnswers)
      throw new UsageError(`--k takes an integer from 1 to ${mostAnswers}`);
    if (atMs !== undefined && atMs < 0) throw new UsageError('--at takes milliseconds from 0 on');
    return withEngine(args, 'read', async (engine, signal) => {
      const at = atMs === undefined ? {} : { atMs: Math.round(atMs) };
      const from = { ...(await fromOf(engine, input)), ...at };
      const result = await engine.transitions.next({ tenantId: engine.tenantId, from, k, signal });
      output.result(result, () => nextText(result).join('\n'));
      return 0;
    });
  },
};

/** A track by its id, or by a file that is in the catalog; any other file as it is. */
export async function fromOf(engine: Engine, input: string): Promise<TransitionFrom> {
  if (isId('track', input)) return { trackId: input };
  const trackId = await engine.trackOfFile(input);
  return trackId === undefined ? { path: input } : { trackId };
}

/** The answer as lines for people. */
export function nextText({ from, candidates }: NextResult): readonly string[] {
  const rows = candidates.map(({ trackId, title, confidence, outcome, cueInMs, plan, reasons }) => {
    const why = reasons.map(({ code, value }) => `${code} ${value >= 0 ? '+' : ''}${value.toFixed(2)}`);
    const tempo = plan.toTempoRatio === 1 ? '' : `, speed ${plan.toTempoRatio.toFixed(3)}`;
    const how = outcome === 'mix' ? `${plan.type} ${(plan.overlapMs / 1000).toFixed(1)} s${tempo}` : outcome;
    return `  ${confidence.toFixed(2)}  ${(title ?? trackId).padEnd(34)} in at ${clockText(cueInMs).padEnd(6)} ${how.padEnd(28)} ${why.join(', ')}`;
  });
  return [`out at ${clockText(from.cueOutMs)}`, ...(rows.length === 0 ? ['  nothing fits'] : rows)];
}
