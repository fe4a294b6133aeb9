import type { NextResult } from '@earmark/engine';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clockText } from '../output.js';
import type { DemoStep } from './step.js';

type Offer = NextResult['candidates'][number];

/** Says what fits after each sample and why, and renders the surest mix. */
export const nextStep: DemoStep = {
  title: 'Say what fits next: how sure, how to mix, what speaks for it (and against)',
  async run({ engine, tracks, signal, say }) {
    const { tenantId, transitions } = engine;
    const titleOf = new Map(tracks.map(({ title, trackId }) => [trackId, title]));
    let surest: Readonly<{ from: (typeof tracks)[number]; offer: Offer }> | undefined;
    for (const from of tracks) {
      const { candidates } = await transitions.next({
        tenantId,
        from: { trackId: from.trackId },
        k: 1,
        signal,
      });
      const [offer] = candidates;
      if (offer === undefined) return false;
      say(
        `  ${from.title.padEnd(30)} -> ${(titleOf.get(offer.trackId) ?? offer.trackId).padEnd(30)} ${described(offer)}`,
      );
      if (surest === undefined || mixedness(offer) > mixedness(surest.offer)) surest = { from, offer };
    }
    if (surest === undefined) return false;
    const { from, offer } = surest;
    const planned = await transitions.previews.plan({
      tenantId,
      from: { trackId: from.trackId },
      to: { trackId: offer.trackId },
      signal,
    });
    const out = join(tmpdir(), 'earmark-demo-preview.wav');
    await transitions.previews.render(planned, out, signal);
    const { type, cueOutMs, cueInMs } = planned.plan;
    say(
      `  rendered ${from.title} -> ${titleOf.get(offer.trackId) ?? offer.trackId}: ${type}, out at ${clockText(cueOutMs)}, in at ${clockText(cueInMs)}`,
    );
    say(`  listen: ${out}`);
    return true;
  },
};

/** Pairs that are mixed on the beat come before surer ones that are not. */
function mixedness({ confidence, plan }: Offer): number {
  return confidence + (plan.type === 'beatmix' ? 1 : 0);
}

function described({ confidence, outcome, plan, reasons }: Offer): string {
  const how = outcome === 'mix' ? `${plan.type} ${(plan.overlapMs / 1000).toFixed(1)} s` : outcome;
  const why = reasons
    .slice(0, 3)
    .map(({ code, value }) => `${code} ${value >= 0 ? '+' : ''}${value.toFixed(2)}`);
  return `${confidence.toFixed(2)}  ${how.padEnd(14)} ${why.join(', ')}`;
}
