import { openEngine } from '@earmark/engine';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from '../command.js';
import { ingestStep } from '../demo/ingest-step.js';
import { nextStep } from '../demo/next-step.js';
import { scanStep } from '../demo/scan-step.js';
import { tagStep } from '../demo/tag-step.js';
import type { DemoContext, DemoStep } from '../demo/step.js';
import { readSettings } from '../settings.js';
import { withInterrupt } from './session.js';

const steps: readonly DemoStep[] = [ingestStep, scanStep, tagStep, nextStep];
const samplesDir = fileURLToPath(new URL('../../../../samples', import.meta.url));

/** `earmark demo`: the main job on the sample files, in a folder of its own that is removed at the end. */
export const demoCommand: Command = {
  name: 'demo',
  usage: 'demo',
  summary: 'Shows the main job on the sample files; leaves nothing but one rendered mix.',
  run: (args) =>
    withInterrupt(async (signal) => {
      const dataDir = await mkdtemp(join(tmpdir(), 'earmark-demo-'));
      const startedMs = performance.now();
      try {
        say('Starting PostgreSQL and the index in a folder of their own ...');
        const engine = await openEngine({
          ...readSettings(args),
          tagOnIngest: true,
          analyzeOnIngest: true,
          dataDir,
          access: 'write',
        });
        try {
          const catalogId = await engine.ensureCatalog();
          const tracks: DemoContext['tracks'] = [];
          let good = true;
          for (const [i, step] of steps.entries()) {
            say(`\n${i + 1}. ${step.title}`);
            good = (await step.run({ engine, catalogId, samplesDir, signal, tracks, say })) && good;
          }
          say(`\n${((performance.now() - startedMs) / 1000).toFixed(0)} s in all. Next: npx earmark --help`);
          return good ? 0 : 1;
        } finally {
          await engine.removeIndex();
          await engine.close();
        }
      } finally {
        await rm(dataDir, { recursive: true, force: true });
      }
    }),
};

function say(text = ''): void {
  process.stdout.write(`${text}\n`);
}
