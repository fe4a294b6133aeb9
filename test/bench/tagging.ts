/**
 * Speed of tagging on one core: net alone, front end alone, both with the segment meter, and with the decode of files.
 *
 * Usage: node test/bench/tagging.ts [--seconds 600] [--model ID@VERSION] [FILE...]
 * CPU time of this process (and of decoders that have ended), median of three; on a shared machine wall time means little.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { seededRandom } from '@earmark/kernel';
import { listen, openMediaDecoder } from '@earmark/media';
import { ModelRegistry, Tagger, TaggingSession } from '@earmark/models';
import { tagTrack } from '@earmark/tagging';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string', default: '600' }, model: { type: 'string' } },
});
const seconds = Number(values.seconds);
const session = await TaggingSession.open((await ModelRegistry.open()).find(values.model).folder);
const { input, frontEnd } = session.manifest;
const random = seededRandom(1);
const minute = Float32Array.from({ length: 60 * frontEnd.sampleRateHz }, () => 0.2 * (2 * random.next() - 1));
const minutes = Math.max(1, Math.round(seconds / 60));

/** CPU seconds of this process and of children that have ended. */
function cpuSeconds(): number {
  const own = process.cpuUsage();
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (own.user + own.system) / 1e6 + (Number(fields[13]) + Number(fields[14])) / 100;
}

async function measure(name: string, audioSeconds: number, work: () => Promise<void>): Promise<void> {
  await work();
  const runs: number[] = [];
  for (let i = 0; i < 3; i++) {
    const start = cpuSeconds();
    await work();
    runs.push(cpuSeconds() - start);
  }
  const median = runs.sort((a, b) => a - b)[1] ?? NaN;
  console.log(`| ${name} | ${median.toFixed(2)} | ${(audioSeconds / median).toFixed(0)} |`);
}

console.log(`${session.model.id}@${session.model.version}, ${session.manifest.parameters} parameters`);
console.log(`| step, ${minutes * 60} s of audio | CPU s | x real time per core |`);
console.log('|---|---:|---:|');
const batch = Float32Array.from({ length: session.batchSegments * input.frames * input.bands }, () => -3);
const segments = (minutes * 60_000) / session.model.hopMs;
await measure('net alone (windows overlap by half)', minutes * 60, async () => {
  for (let done = 0; done < segments; done += session.batchSegments)
    await session.run(batch, session.batchSegments);
});
await measure('log-mel alone', minutes * 60, () => {
  const logMel = session.frontEnd();
  for (let i = 0; i < minutes; i++) logMel.process(minute);
  return Promise.resolve();
});
await measure('log-mel, net, levels and descriptors', minutes * 60, async () => {
  const tagger = new Tagger(session);
  for (let i = 0; i < minutes; i++) await tagger.push(minute);
  await tagger.finish();
});
const tagger = new Tagger(session);
for (let i = 0; i < minutes; i++) await tagger.push(minute);
const outputs = await tagger.finish();
await measure('outputs to tags', minutes * 60, () => {
  tagTrack(session.model, outputs, { all: true });
  return Promise.resolve();
});
if (positionals.length > 0) {
  const decoder = await openMediaDecoder();
  let heardSeconds = 0;
  const hear = async (): Promise<void> => {
    heardSeconds = 0;
    for (const path of positionals) {
      const one = new Tagger(session);
      const push = ([mono]: readonly Float32Array[]): Promise<void> | undefined => mono && one.push(mono);
      await listen(decoder, path, [{ sampleRateHz: one.sampleRateHz, channels: 1, push }]);
      const heard = await one.finish();
      heardSeconds += heard.durationMs / 1000;
      tagTrack(session.model, heard);
    }
  };
  await hear();
  await measure(`decode, resample, log-mel, net, tags: ${positionals.length} files`, heardSeconds, hear);
}
await session.close();
