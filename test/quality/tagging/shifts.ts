/**
 * Shifts of mood on glued and on steady tracks.
 *
 * Usage: node test/quality/tagging/shifts.ts AUDIO_FOLDER LABELS.tsv [--pairs 20] [--seconds 40] [--seeds 1,2,3]
 *   [--pool label|agreed|teachers --teachers ANSWERS.jsonl] [--steady-seconds 40] [--model ID@VERSION|FOLDER] [--cache DIR]
 *   [--experimental] [--rule JSON] [--verbose]
 * LABELS.tsv has the columns file and feel, a list such as "Relaxed, Bright". For each seed, draws pairs with opposed
 * feels, glues their first seconds, and reports in how many each half has its own mood in front (mean score over its
 * segments) and the border is found within 5 s; steady tracks are single ones, and any shift in them is false. ANSWERS.jsonl
 * is what the harness' teachers.py writes (combined).
 */
import { parseArgs } from 'node:util';
import { findModel, ModelRegistry, taggerModelOf } from '@earmark/models';
import { defaultShiftRule, type ShiftRule, tagTrack, type TagResult } from '@earmark/tagging';
import { drawPieces, PieceListener, readFeels, readRanks, type PoolKind } from './glued-tracks.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    pairs: { type: 'string', default: '20' },
    seconds: { type: 'string', default: '40' },
    'steady-seconds': { type: 'string', default: '40' },
    pool: { type: 'string', default: 'label' },
    teachers: { type: 'string' },
    seeds: { type: 'string', default: '1' },
    model: { type: 'string' },
    cache: { type: 'string' },
    experimental: { type: 'boolean', default: false },
    rule: { type: 'string', default: '{}' },
    verbose: { type: 'boolean', default: false },
  },
});
const [folder, labels] = positionals;
if (folder === undefined || labels === undefined) throw new Error('AUDIO_FOLDER and LABELS.tsv are needed');
const entry = await findModel(await ModelRegistry.open(), values.model);
const { manifest } = entry;
const model = taggerModelOf(manifest);
const { cache } = values;
const listener = new PieceListener({ entry, folder, seconds: Number(values.seconds), cache });
const steadyListener = new PieceListener({ entry, folder, seconds: Number(values['steady-seconds']), cache });
const pool = values.pool as PoolKind;
const rankOf = values.teachers === undefined ? undefined : readRanks(values.teachers);
if (pool !== 'label' && rankOf === undefined) throw new Error('--teachers is needed');
const feels = readFeels(labels);
const shiftRule: ShiftRule = { ...defaultShiftRule, ...(JSON.parse(values.rule) as Partial<ShiftRule>) };

function meanOf(result: TagResult, mood: string, fromMs: number, toMs: number): number {
  const scores = result.segments
    .filter(({ startMs, endMs }) => startMs >= fromMs && endMs <= toMs)
    .map(({ scores: all }) => all?.mood?.[mood] ?? 0);
  return scores.reduce((sum, score) => sum + score, 0) / Math.max(1, scores.length);
}

const say = (line: string): void => {
  if (values.verbose) console.log(line);
};

console.log(`${entry.id}@${entry.version}`);
console.log(
  '| seed | glued pairs | each half in order | border within 5 s | both | other shifts | both moods said | steady tracks with a shift |',
);
console.log('|---:|---:|---:|---:|---:|---:|---:|---:|');
for (const seed of values.seeds.split(',').map(Number)) {
  const { glued, steady } = drawPieces(feels, Number(values.pairs), seed, pool, rankOf);
  const count = { ordered: 0, found: 0, both: 0, others: 0, said: 0, steadyFalse: 0 };
  for (const piece of glued) {
    const { outputs, borderMs } = await listener.hear(piece);
    const result = tagTrack(model, outputs, { all: true, experimental: values.experimental, shiftRule });
    const [a = '', b = ''] = piece.moods;
    const halves = [
      meanOf(result, a, 0, borderMs) - meanOf(result, b, 0, borderMs),
      meanOf(result, b, borderMs, result.durationMs) - meanOf(result, a, borderMs, result.durationMs),
    ];
    const ordered = halves.every((lead) => lead > 0);
    const near = result.shifts.filter(({ atMs }) => Math.abs(atMs - borderMs) <= 5000);
    const tags = new Set(result.tags.map(({ tag }) => tag));
    if (ordered) count.ordered++;
    if (near.length > 0) count.found++;
    if (ordered && near.length > 0) count.both++;
    if (tags.has(a) && tags.has(b)) count.said++;
    count.others += result.shifts.length - Math.min(1, near.length);
    const shifts = result.shifts.map(
      ({ atMs, from, to }) => `${(atMs / 1000).toFixed(1)} s ${from.join('+')} -> ${to.join('+')}`,
    );
    say(
      `${piece.files.join(' + ')} (${a} -> ${b}): ${ordered ? 'ordered' : 'NOT ordered'} ${halves.map((lead) => lead.toFixed(2)).join(' ')}; ${shifts.join(', ') || 'no shift'}; border ${borderMs / 1000}`,
    );
  }
  for (const piece of steady) {
    const { outputs } = await steadyListener.hear(piece);
    const { shifts } = tagTrack(model, outputs, { experimental: values.experimental, shiftRule });
    if (shifts.length === 0) continue;
    count.steadyFalse++;
    say(`${piece.files[0]}: false shift at ${shifts.map(({ atMs }) => atMs / 1000).join(', ')} s`);
  }
  console.log(
    `| ${seed} | ${glued.length} | ${count.ordered} | ${count.found} | ${count.both} | ${count.others} | ${count.said} | ${count.steadyFalse} of ${steady.length} |`,
  );
}
await listener.close();
await steadyListener.close();
