/**
 * Shifts of mood on glued and on steady tracks.
 *
 * Usage: node test/quality/tagging/shifts.ts AUDIO_FOLDER LABELS.tsv [--pairs 20] [--seconds 40] [--experimental] [--json]
 * LABELS.tsv has the columns file and feel, a list such as "Relaxed, Bright". Glues the first
 * seconds of tracks with opposed feels and reports in how many pairs each half has its own mood in front and the border is
 * found within 5 s; steady tracks are single ones, and any shift in them is false.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { listen, openMediaDecoder } from '@earmark/media';
import { ModelRegistry, Tagger, TaggingSession } from '@earmark/models';
import { tagTrack, type TagResult } from '@earmark/tagging';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    pairs: { type: 'string', default: '20' },
    seconds: { type: 'string', default: '40' },
    experimental: { type: 'boolean', default: false },
  },
});
const [folder, labels] = positionals;
if (folder === undefined || labels === undefined) throw new Error('AUDIO_FOLDER and LABELS.tsv are needed');
const seconds = Number(values.seconds);
const opposed = [
  {
    tags: ['relaxing-calm', 'exciting-energetic'],
    feels: [
      ['Relaxed', 'Calming'],
      ['Driving', 'Action'],
    ],
  },
  {
    tags: ['happy', 'scary-dark'],
    feels: [
      ['Bright', 'Uplifting'],
      ['Dark', 'Eerie', 'Unnerving'],
    ],
  },
] as const;
const session = await TaggingSession.open((await ModelRegistry.open()).find().folder);
const decoder = await openMediaDecoder();
const heardFiles = new Map<string, Float32Array>();

async function samplesOf(file: string): Promise<Float32Array> {
  const known = heardFiles.get(file);
  if (known !== undefined) return known;
  const samples = new Float32Array(seconds * 16_000);
  let filled = 0;
  const push = ([mono]: readonly Float32Array[]): void => {
    if (mono === undefined) return;
    const part = mono.subarray(0, samples.length - filled);
    samples.set(part, filled);
    filled += part.length;
  };
  await listen(decoder, join(folder ?? '', file), [{ sampleRateHz: 16_000, channels: 1, push }]);
  const cut = samples.subarray(0, filled);
  heardFiles.set(file, cut);
  return cut;
}

async function tag(...parts: readonly Float32Array[]): Promise<TagResult> {
  const tagger = new Tagger(session);
  for (const part of parts) await tagger.push(part);
  return tagTrack(session.model, await tagger.finish(), { all: true, experimental: values.experimental });
}

function meanOf(result: TagResult, mood: string, fromMs: number, toMs: number): number {
  const scores = result.segments
    .filter(({ startMs, endMs }) => startMs >= fromMs && endMs <= toMs)
    .map(({ scores: all }) => all?.mood?.[mood] ?? 0);
  return scores.reduce((sum, score) => sum + score, 0) / Math.max(1, scores.length);
}

const [header = [], ...rows] = readFileSync(labels, 'utf8')
  .trim()
  .split('\n')
  .map((line) => line.split('\t'));
const feelsOf = new Map<string, Set<string>>();
for (const row of rows) {
  const field = (name: string): string => row[header.indexOf(name)] ?? '';
  feelsOf.set(field('file'), new Set(field('feel').split(', ')));
}
const filesWith = (wanted: readonly string[], unwanted: readonly string[]): string[] =>
  [...feelsOf]
    .filter(
      ([, feels]) => wanted.some((feel) => feels.has(feel)) && !unwanted.some((feel) => feels.has(feel)),
    )
    .map(([file]) => file)
    .sort();

let ordered = 0;
let found = 0;
let both = 0;
let total = 0;
let steadyFalse = 0;
const steady = new Set<string>();
for (const { tags, feels } of opposed) {
  const left = filesWith(feels[0], feels[1]);
  const right = filesWith(feels[1], feels[0]);
  const pairs = Math.min(left.length, right.length, Number(values.pairs) / opposed.length);
  for (let i = 0; i < pairs; i++) {
    const files = [left[i] ?? '', right[i] ?? ''];
    const moods = i % 2 === 0 ? tags : ([tags[1], tags[0]] as const);
    const parts = await Promise.all((i % 2 === 0 ? files : files.reverse()).map(samplesOf));
    files.forEach((file) => steady.add(file));
    const result = await tag(...parts);
    const borderMs = ((parts[0]?.length ?? 0) / 16_000) * 1000;
    const first = meanOf(result, moods[0], 0, borderMs) > meanOf(result, moods[1], 0, borderMs);
    const second =
      meanOf(result, moods[1], borderMs, result.durationMs) >
      meanOf(result, moods[0], borderMs, result.durationMs);
    const near = result.shifts.some(({ atMs }) => Math.abs(atMs - borderMs) <= 5000);
    total++;
    if (first && second) ordered++;
    if (near) found++;
    if (first && second && near) both++;
    const shifts = result.shifts.map(
      ({ atMs, from, to }) => `${(atMs / 1000).toFixed(1)} s ${from.join('+')} -> ${to.join('+')}`,
    );
    console.log(
      `${files.join(' + ')}: ${first && second ? 'ordered' : 'not ordered'}, ${shifts.join(', ') || 'no shift'}`,
    );
  }
}
for (const file of [...steady].slice(0, Number(values.pairs))) {
  const { shifts } = await tag(await samplesOf(file));
  if (shifts.length > 0) {
    steadyFalse++;
    console.log(`${file}: false shift at ${shifts.map(({ atMs }) => atMs / 1000).join(', ')} s`);
  }
}
console.log(`| glued pairs | each half in order | border within 5 s | both | steady tracks with a shift |`);
console.log('|---:|---:|---:|---:|---:|');
console.log(
  `| ${total} | ${ordered} | ${found} | ${both} | ${steadyFalse} of ${Math.min(steady.size, Number(values.pairs))} |`,
);
await session.close();
