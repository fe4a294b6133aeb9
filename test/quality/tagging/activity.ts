/**
 * Speech, music and silence, segment by segment, on time lines made of files that training never heard.
 *
 * Usage: node test/quality/tagging/activity.ts --music FOLDER --speech FOLDER --noise FOLDER [--speech-names PREFIX,...]
 *   [--noise-names PREFIX,...] [--music-names PREFIX,...] [--lines 20] [--seconds 150] [--seed 1] [--model ID@VERSION|FOLDER]
 *   [--cache DIR] [--verbose]
 * DIR keeps the lines; a line that it has is taken from there, whatever the folders are.
 * A segment holds an activity if it goes on in at least half of its window (5 s); "clear" segments are those in which every
 * activity goes on in less than a fifth or more than four fifths. "time line": the places of the activity tags of the track,
 * compared on the hop (2.5 s) that each segment stands for.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openMediaDecoder } from '@earmark/media';
import { findModel, ModelRegistry, Tagger, TaggingSession } from '@earmark/models';
import { tagTrack } from '@earmark/tagging';
import {
  activities,
  audioFiles,
  keepLine,
  keptLine,
  LineMaker,
  shareOf,
  type Activity,
} from './activity-lines.ts';

const { values } = parseArgs({
  options: {
    music: { type: 'string' },
    speech: { type: 'string' },
    noise: { type: 'string' },
    'music-names': { type: 'string' },
    'speech-names': { type: 'string' },
    'noise-names': { type: 'string' },
    lines: { type: 'string', default: '20' },
    seconds: { type: 'string', default: '150' },
    seed: { type: 'string', default: '1' },
    model: { type: 'string' },
    cache: { type: 'string' },
    verbose: { type: 'boolean', default: false },
  },
});
const { music, speech, noise } = values;
if (music === undefined || speech === undefined || noise === undefined)
  throw new Error('--music, --speech and --noise are needed');
const names = (list: string | undefined): readonly string[] => list?.split(',') ?? [];
const entry = await findModel(await ModelRegistry.open(), values.model);
const session = await TaggingSession.open(entry.folder);
const maker = new LineMaker({
  decoder: await openMediaDecoder(),
  files: {
    music: audioFiles(music, names(values['music-names'])),
    speech: audioFiles(speech, names(values['speech-names'])),
    noise: audioFiles(noise, names(values['noise-names'])),
  },
  sampleRateHz: entry.manifest.frontEnd.sampleRateHz,
});

type Tally = { hit: number; said: number; true: number; count: number };
const views = ['all segments', 'clear segments', 'time line'] as const;
const tallies = new Map<string, Tally>();
function count(view: (typeof views)[number], activity: Activity, isTrue: boolean, isSaid: boolean): void {
  const key = `${view}/${activity}`;
  const tally = tallies.get(key) ?? { hit: 0, said: 0, true: 0, count: 0 };
  tally.count++;
  if (isTrue) tally.true++;
  if (isSaid) tally.said++;
  if (isTrue && isSaid) tally.hit++;
  tallies.set(key, tally);
}

for (let i = 0; i < Number(values.lines); i++) {
  const seed = 1000 * Number(values.seed) + i;
  const path = values.cache && join(values.cache, `line-${values.seconds}-${seed}`);
  const line = (path && keptLine(path)) || (await maker.make(Number(values.seconds), seed));
  if (path) keepLine(path, line);
  const { samples, stretches } = line;
  const tagger = new Tagger(session);
  await tagger.push(samples);
  const { segments, tags, durationMs } = tagTrack(session.model, await tagger.finish());
  const { hopMs, windowMs } = session.model;
  segments.forEach(({ startMs, endMs, tags: said }) => {
    const shares = activities.map((activity) => shareOf(activity, stretches, startMs, endMs));
    const isClear = shares.every((share) => share < 0.2 || share > 0.8);
    const marginMs = (windowMs - hopMs) / 2;
    const [fromMs, toMs] = [startMs + marginMs, Math.min(durationMs, startMs + marginMs + hopMs)];
    activities.forEach((activity, a) => {
      const isTrue = (shares[a] ?? 0) >= 0.5;
      const isSaid = said.some(({ facet, tag }) => facet === 'activity' && tag === activity);
      count('all segments', activity, isTrue, isSaid);
      if (isClear) count('clear segments', activity, isTrue, isSaid);
      if (toMs > fromMs) {
        const places =
          tags.find(({ facet, tag }) => facet === 'activity' && tag === activity)?.segments ?? [];
        const middleMs = (fromMs + toMs) / 2;
        const isPlaced = places.some((place) => place.startMs <= middleMs && middleMs < place.endMs);
        count('time line', activity, shareOf(activity, stretches, fromMs, toMs) >= 0.5, isPlaced);
      }
      if (values.verbose && isTrue !== isSaid) {
        const kinds = stretches.filter((one) => one.startMs < endMs && one.endMs > startMs);
        const what = kinds.map(({ kind }) => kind).join('+');
        console.log(
          `line ${i + 1}, ${startMs / 1000} s, ${what}: ${isTrue ? 'missed' : 'false'} ${activity}, share ${(shares[a] ?? 0).toFixed(2)}${isClear ? ', clear' : ''}`,
        );
      }
    });
  });
}
await session.close();

console.log(`${entry.id}@${entry.version}`);
console.log('| view | activity | segments | with it | precision | recall | F1 |');
console.log('|---|---|---:|---:|---:|---:|---:|');
for (const view of views) {
  for (const activity of activities) {
    const {
      hit,
      said,
      true: present,
      count: n,
    } = tallies.get(`${view}/${activity}`) ?? { hit: 0, said: 0, true: 0, count: 0 };
    const f1 = (2 * hit) / Math.max(1, said + present);
    const [precision, recall] = [hit / Math.max(1, said), hit / Math.max(1, present)];
    console.log(
      `| ${view} | ${activity} | ${n} | ${present} | ${precision.toFixed(3)} | ${recall.toFixed(3)} | ${f1.toFixed(3)} |`,
    );
  }
}
