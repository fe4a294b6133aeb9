import * as fs from 'node:fs';
import { seededRandom } from '@earmark/kernel';
import { crashChunks, crashSettings, crashStep, stepsAtOnce } from './crash-workload.js';
import { CrashingFiles, crashPoints } from './crash-files.js';
import { openEmbeddedIndex } from './embedded-index.js';
import { InlineMaintenance, type MaintenanceRunner } from './maintenance.js';

/**
 * The process that the crash tests kill: writes until it dies, and says which steps were acknowledged.
 *
 * Arguments: folder, seed, first step, steps, kind of call at which it kills itself (or `-`: the test does, and
 * maintenance runs in its worker thread), which one of those calls.
 */
const [directory, seedText, firstText, countText, pointText, occurrenceText] = process.argv.slice(2);
const seed = Number(seedText);
const point = crashPoints.find((known) => known === pointText);
const files = point && new CrashingFiles(point, Number(occurrenceText), seededRandom(seed));

const here = files && new InlineMaintenance(files);
const inline: MaintenanceRunner | undefined = files &&
  here && {
    run: (job) => {
      files.phase = job.kind;
      return here.run(job);
    },
    close: () => here.close(),
  };

const index = await openEmbeddedIndex({
  directory,
  mode: 'write',
  ...crashSettings,
  ...(files && inline ? { files, maintenance: inline } : {}),
});
const end = Number(firstText) + Number(countText);
for (let step = Number(firstText); step < end; step += stepsAtOnce) {
  const group = Array.from({ length: stepsAtOnce }, (_, i) => step + i);
  await Promise.all(
    group.map(async (number) => {
      const { trackId, version } = crashStep(seed, number);
      const sequence = number + 1;
      if (version === undefined) await index.remove(trackId, { sequence });
      else await index.add(crashChunks(trackId, version), { sequence });
      fs.writeSync(1, `${number}\n`);
    }),
  );
}
await index.close();
fs.writeSync(1, 'done\n');
