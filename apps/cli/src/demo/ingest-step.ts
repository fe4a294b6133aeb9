import { readMetadataFile } from '@earmark/engine';
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { clockText } from '../output.js';
import type { DemoStep } from './step.js';

/** Takes the sample tracks into the catalog. */
export const ingestStep: DemoStep = {
  title: 'Ingest the sample tracks',
  async run({ engine, catalogId, samplesDir, signal, tracks, say }) {
    const folder = join(samplesDir, 'tracks');
    const metadata = await readMetadataFile(join(samplesDir, 'metadata.csv'));
    const files = (await readdir(folder)).sort();
    const startedMs = performance.now();
    const results = await Promise.all(
      files.map(async (file) => {
        const path = join(folder, file);
        const about = metadata.get(resolve(path));
        const result = await engine.ingestFile({
          tenantId: engine.tenantId,
          catalogId,
          path,
          sourceName: file,
          signal,
          ...(about === undefined ? {} : { metadata: about }),
        });
        return { file, title: about?.title ?? file, ...result };
      }),
    );
    for (const { file, title, durationMs, status } of results) {
      say(`  ${status.padEnd(10)}${clockText(durationMs).padEnd(7)}${title.padEnd(34)}${file}`);
    }
    tracks.push(...results.map(({ title, trackId }) => ({ title, trackId })));
    const musicMs = results.reduce((sum, { durationMs }) => sum + durationMs, 0);
    const elapsedMs = performance.now() - startedMs;
    say(
      `  ${results.length} tracks, ${clockText(musicMs)} of music in ${(elapsedMs / 1000).toFixed(1)} s (${(musicMs / elapsedMs).toFixed(0)}x real time)`,
    );
    return results.every(({ status }) => status === 'ready');
  },
};
