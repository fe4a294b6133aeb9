import type { IngestMetadata } from '@earmark/monitoring';
import { decodeFingerprintFile, type Engine, readMetadataFile } from '@earmark/engine';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from '../command.js';
import type { Output } from '../output.js';
import { forEachInput, required, withEngine } from './session.js';

/** `earmark ingest`: media files, or fingerprints made elsewhere, into a catalog. */
export const ingestCommand: Command = {
  name: 'ingest',
  usage: 'ingest PATH... [--catalog NAME] [--metadata FILE.csv|jsonl] [--allow-duplicates] [--json]',
  summary: 'Takes media files (or FILE.emfp fingerprints) into a catalog; what is already there is skipped.',
  flags: {
    catalog: { type: 'string', value: 'NAME', help: 'catalog to put them in (default: main)' },
    metadata: {
      type: 'string',
      value: 'FILE',
      help: 'CSV or JSONL with a path column: title, artists, isrc, ref ...',
    },
    'allow-duplicates': { type: 'boolean', help: 'store a recording again that is already there' },
  },
  run: (args, output) =>
    withEngine(args, 'write', async (engine, signal) => {
      const inputs = required(args, 'media file');
      const metadataFile = args.text('metadata');
      const metadata =
        metadataFile === undefined ? new Map<string, IngestMetadata>() : await readMetadataFile(metadataFile);
      const catalogId = await engine.ensureCatalog(args.text('catalog'));
      const target = { tenantId: engine.tenantId, catalogId, allowDuplicates: args.on('allow-duplicates') };
      return forEachInput(
        inputs,
        { label: 'ingest', concurrency: engine.concurrency + 1, output, signal },
        async (path) => {
          if (path.endsWith('.emfp')) return ingestFingerprints(engine, path, target, signal, output);
          const about = metadata.get(resolve(path));
          const result = await engine.ingestFile({
            ...target,
            path,
            signal,
            ...(about === undefined ? {} : { metadata: about }),
          });
          output.result({ path, ...result }, () => `${path}: ${result.status} ${result.trackId}`);
          return result.durationMs;
        },
      );
    }),
};

async function ingestFingerprints(
  engine: Engine,
  path: string,
  target: Parameters<Engine['ingestFingerprint']>[1],
  signal: AbortSignal,
  output: Output,
): Promise<number> {
  let durationMs = 0;
  for (const record of decodeFingerprintFile(await readFile(path))) {
    signal.throwIfAborted();
    const result = await engine.ingestFingerprint(record, target);
    output.result(
      { path: record.path, ...result },
      () => `${record.path}: ${result.status} ${result.trackId}`,
    );
    durationMs += result.durationMs;
  }
  return durationMs;
}
