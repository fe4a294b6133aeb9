/**
 * Exports what training/beat fits: beat hypotheses with their features, patterns and F1, and chroma.
 *
 *     node test/quality/analysis/export-features.ts CLIPS.jsonl OUT_FOLDER
 *
 * A line of CLIPS is a clip of 16 kHz mono PCM with its truth: `id`, `path`, `format` ("s16" or "f32"), `start` and
 * `seconds` in the file, `beats` (seconds from the clip's start), `tempo`. Writes OUT/clips.jsonl (a line a clip: tempo and F1
 * of each hypothesis, its number of beats and features) and beside it, in the order of the lines, OUT/features.f32,
 * OUT/patterns.u8 (a byte a value, 255 = 1), OUT/beats.f32 (seconds) and OUT/chroma.f32. Clips already there are kept.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  ChromaExtractor,
  OnsetExtractor,
  beatHypotheses,
  beatPattern,
  onsetRateHz,
  periodicityOf,
  toNovelty,
} from '@earmark/analysis';
import { type ClipPlace, readClip } from './read-clip.ts';

const toleranceSeconds = 0.07;
const firstSecond = 5;

type Clip = ClipPlace & Readonly<{ id: string; beats: readonly number[]; tempo: number }>;

function beatF1(wanted: readonly number[], got: ArrayLike<number>): number {
  const end = (wanted[wanted.length - 1] ?? 0) + 0.5;
  const inside = (t: number) => t >= firstSecond && t < end;
  const want = wanted.filter(inside);
  const have = Array.from(got).filter(inside);
  let [matched, at] = [0, 0];
  for (const t of want) {
    while (at < have.length && have[at] < t - toleranceSeconds) at++;
    if (at < have.length && have[at] <= t + toleranceSeconds) [matched, at] = [matched + 1, at + 1];
  }
  return want.length + have.length > 0 ? (2 * matched) / (want.length + have.length) : 0;
}

const [list, out] = process.argv.slice(2);
mkdirSync(out, { recursive: true });
const listing = join(out, 'clips.jsonl');
const lines = (path: string) => readFileSync(path, 'utf8').trim().split('\n');
const done = new Set(existsSync(listing) ? lines(listing).map((line) => (JSON.parse(line) as Clip).id) : []);
const append = (name: string, values: Float32Array | Uint8Array) =>
  appendFileSync(join(out, name), new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
for (const line of lines(list)) {
  const clip = JSON.parse(line) as Clip;
  if (done.has(clip.id)) continue;
  const samples = readClip(clip);
  const onsetExtractor = new OnsetExtractor();
  const chromaExtractor = new ChromaExtractor();
  onsetExtractor.push(samples);
  chromaExtractor.push(samples);
  const chroma = chromaExtractor.finish();
  const novelty = toNovelty(onsetExtractor.finish().onsets);
  const found = beatHypotheses(novelty, periodicityOf(novelty), chroma);
  const rows = found.map(({ beats, periodFrames }) => {
    const bpm = (60 * onsetRateHz) / periodFrames;
    const seconds = Float32Array.from(beats, (frame) => frame / onsetRateHz);
    const f1 = beatF1(clip.beats, seconds);
    return { bpm, n: beats.length, f1, acc1: Math.abs(bpm - clip.tempo) <= 0.04 * clip.tempo ? 1 : 0 };
  });
  for (const { beats, features } of found) {
    append('features.f32', Float32Array.from(features));
    append(
      'patterns.u8',
      Uint8Array.from(beatPattern(beats, novelty, chroma), (v) => Math.round(255 * v)),
    );
    append(
      'beats.f32',
      Float32Array.from(beats, (frame) => frame / onsetRateHz),
    );
  }
  append('chroma.f32', chroma.values);
  const row = {
    id: clip.id,
    rows,
    chromaFrames: chroma.frames,
    features: found[0]?.features.length ?? 0,
  };
  appendFileSync(listing, JSON.stringify(row) + '\n');
}
