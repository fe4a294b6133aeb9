import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { describeFingerprintIndex } from '../contract.js';
import { nodeFiles } from './durable-files.js';
import { InlineMaintenance } from './maintenance.js';
import { openEmbeddedIndex } from './embedded-index.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'earmark-index-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

describeFingerprintIndex('the embedded index', () => openEmbeddedIndex({ directory, mode: 'write' }), {
  alignments: true,
});

describeFingerprintIndex(
  'the embedded index that writes a segment after every few tracks',
  () =>
    openEmbeddedIndex({
      directory,
      mode: 'write',
      deltaLandmarks: 4000,
      closingLandmarks: 1,
      maintenance: new InlineMaintenance(nodeFiles),
      mergePolicy: { smallestLandmarks: 4000, fanIn: 2 },
    }),
  { alignments: true },
);
