import { encodeFingerprintHeader, encodeFingerprintRecord, Listener } from '@earmark/engine';
import { open, rename, rm } from 'node:fs/promises';
import type { Command } from '../command.js';
import { UsageError } from '../command.js';
import { readSettings } from '../settings.js';
import { forEachInput, required, withInterrupt } from './session.js';

/** `earmark fingerprint`: fingerprints to a file, to be ingested elsewhere. */
export const fingerprintCommand: Command = {
  name: 'fingerprint',
  usage: 'fingerprint MEDIA... --out FILE.emfp [--json]',
  summary:
    'Writes fingerprints to a file that `earmark ingest` takes elsewhere; the audio stays where it is.',
  flags: { out: { type: 'string', value: 'FILE', help: 'file to write (replaced only when complete)' } },
  async run(args, output) {
    const out = args.text('out');
    if (out === undefined) throw new UsageError('--out FILE is missing');
    const paths = required(args, 'media file');
    const settings = readSettings(args);
    const listener = new Listener(settings);
    return withInterrupt(async (signal) => {
      const temporary = `${out}.part`;
      const file = await open(temporary, 'w');
      try {
        await file.write(encodeFingerprintHeader());
        let lastWrite: Promise<unknown> = Promise.resolve();
        const code = await forEachInput(
          paths,
          { label: 'fingerprint', concurrency: settings.concurrency, output, signal },
          async (path) => {
            const record = await listener.fingerprint(path, { signal });
            lastWrite = lastWrite.then(() => file.write(encodeFingerprintRecord(record)));
            await lastWrite;
            output.result(
              { path, durationMs: record.durationMs, bytes: record.peaks.length },
              () => `${path}: ${record.peaks.length} bytes`,
            );
            return record.durationMs;
          },
        );
        await file.sync();
        await file.close();
        if (signal.aborted) await rm(temporary);
        else await rename(temporary, out);
        return code;
      } catch (error) {
        await file.close().catch(() => undefined);
        await rm(temporary, { force: true });
        throw error;
      } finally {
        await listener.close();
      }
    });
  },
};
