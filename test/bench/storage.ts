/**
 * Start and stop of the embedded database: a new folder, then the same folder again.
 *
 *     npm run build && npx node test/bench/storage.ts [--runs 5]
 */
import { openDatabase } from '@earmark/storage';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { runs: { type: 'string', default: '5' } } });
const dataDir = mkdtempSync(join(tmpdir(), 'earmark-bench-'));
try {
  const first = await openAndClose();
  const again = [];
  for (let run = 0; run < Number(values.runs); run++) again.push(await openAndClose());
  const median = (figures: number[]): number => figures.sort((a, b) => a - b)[figures.length >> 1] ?? 0;
  console.log(
    JSON.stringify({
      openNewFolderMs: first.openMs,
      openAgainMs: median(again.map(({ openMs }) => openMs)),
      closeMs: median(again.map(({ closeMs }) => closeMs)),
    }),
  );
} finally {
  rmSync(dataDir, { recursive: true, force: true });
}

async function openAndClose(): Promise<{ openMs: number; closeMs: number }> {
  const startedMs = performance.now();
  const database = await openDatabase({ dataDir });
  const openedMs = performance.now();
  await database.close();
  return { openMs: Math.round(openedMs - startedMs), closeMs: Math.round(performance.now() - openedMs) };
}
