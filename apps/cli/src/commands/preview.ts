import { type Command, UsageError } from '../command.js';
import { clockText } from '../output.js';
import { fromOf } from './next.js';
import { withEngine } from './session.js';

/** `earmark preview`: renders the mix of two tracks. */
export const previewCommand: Command = {
  name: 'preview',
  usage: 'preview FROM TO --out FILE.wav [--at MS] [--json]',
  summary: 'Renders the mix of two tracks (ids or media files) as WAV or Opus.',
  flags: {
    out: { type: 'string', value: 'FILE', help: 'where to write: FILE.wav, or FILE.opus (needs FFmpeg)' },
    at: { type: 'string', value: 'MS', help: 'where the transition shall begin, ms (default near the end)' },
  },
  async run(args, output) {
    const [fromInput, toInput, ...others] = args.positionals;
    if (fromInput === undefined || toInput === undefined || others.length > 0)
      throw new UsageError('name two tracks or media files');
    const out = args.text('out');
    const format = /\.(wav|opus)$/i.exec(out ?? '')?.[1]?.toLowerCase();
    if (out === undefined || (format !== 'wav' && format !== 'opus'))
      throw new UsageError('--out FILE.wav or --out FILE.opus is missing');
    const atMs = args.number('at');
    if (atMs !== undefined && atMs < 0) throw new UsageError('--at takes milliseconds from 0 on');
    return withEngine(args, 'read', async (engine, signal) => {
      const { tenantId, transitions } = engine;
      const at = atMs === undefined ? {} : { atMs: Math.round(atMs) };
      const from = { ...(await fromOf(engine, fromInput)), ...at };
      const to = await fromOf(engine, toInput);
      const planned = await transitions.previews.plan({ tenantId, from, to, format, signal });
      await transitions.previews.render(planned, out, signal);
      const { plan } = planned;
      output.result({ from: fromInput, to: toInput, out, plan }, () => {
        const { type, cueOutMs, cueInMs, overlapMs } = plan;
        return `${out}: ${type}, out at ${clockText(cueOutMs)}, in at ${clockText(cueInMs)}, ${(overlapMs / 1000).toFixed(1)} s together`;
      });
      return 0;
    });
  },
};
