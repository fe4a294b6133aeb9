/**
 * Exports what training/beat fits: beat hypotheses with their features and F1, and key histograms.
 *
 *     node test/quality/analysis/export-features.ts TRUTH_FOLDER OUT_FOLDER AUDIO...
 *
 * TRUTH_FOLDER holds truth.tsv and beats.tsv (file, tempo, key, key_conf; file, seconds) of scores whose names, without
 * suffix, are those of the audio files. Writes OUT/hypotheses.jsonl and OUT/keys.jsonl. The key of a score should be that of
 * the part that was rendered. FFmpeg must be on the path.
 */
import { spawnSync } from 'node:child_process';
import { createWriteStream, readFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import {
  ChromaExtractor,
  OnsetExtractor,
  beatHypotheses,
  keyHistogram,
  onsetRateHz,
  periodicityOf,
  toNovelty,
} from '@earmark/analysis';

const toleranceSeconds = 0.07;
const firstSecond = 5;
const stem = (path: string) => basename(path, extname(path));

function table(path: string): Record<string, string>[] {
  const [head, ...lines] = readFileSync(path, 'utf8').trim().split('\n');
  const names = head.split('\t');
  return lines.map((line) => Object.fromEntries(line.split('\t').map((value, i) => [names[i], value])));
}

function beatF1(wanted: readonly number[], got: readonly number[], end: number): number {
  const inside = (t: number) => t >= firstSecond && t < end;
  const free = got.filter(inside);
  const want = wanted.filter(inside);
  const all = want.length + free.length;
  let matched = 0;
  for (const t of want) {
    let best = -1;
    for (let i = 0; i < free.length; i++) {
      const distance = Math.abs(free[i] - t);
      if (distance <= toleranceSeconds && (best < 0 || distance < Math.abs(free[best] - t))) best = i;
    }
    if (best < 0) continue;
    matched++;
    free.splice(best, 1);
  }
  return all > 0 ? (2 * matched) / all : 0;
}

const [truthFolder, outFolder, ...files] = process.argv.slice(2);
const pieces = new Map(table(join(truthFolder, 'truth.tsv')).map((row) => [stem(row.file), row]));
const beats = new Map<string, number[]>();
for (const row of table(join(truthFolder, 'beats.tsv'))) {
  const list = beats.get(stem(row.file)) ?? [];
  list.push(Number(row.seconds));
  beats.set(stem(row.file), list);
}
const hypotheses = createWriteStream(join(outFolder, 'hypotheses.jsonl'));
const keys = createWriteStream(join(outFolder, 'keys.jsonl'));
for (const path of files) {
  const id = stem(path);
  const piece = pieces.get(id);
  if (piece === undefined) throw new Error(`${id} is not in the truth`);
  const decoded = spawnSync(
    'ffmpeg',
    ['-v', 'error', '-nostdin', '-i', path, '-ac', '1', '-ar', '16000', '-f', 'f32le', '-'],
    { maxBuffer: 2 ** 31 - 1 },
  );
  const bytes = new Uint8Array(decoded.stdout);
  const samples = new Float32Array(bytes.buffer, 0, bytes.length >> 2);
  const onsetExtractor = new OnsetExtractor();
  const chromaExtractor = new ChromaExtractor();
  onsetExtractor.push(samples);
  chromaExtractor.push(samples);
  const chroma = chromaExtractor.finish();
  const novelty = toNovelty(onsetExtractor.finish().onsets);
  const tempo = Number(piece.tempo);
  const rows = beatHypotheses(novelty, periodicityOf(novelty), chroma).map((hypothesis) => {
    const bpm = (60 * onsetRateHz) / hypothesis.periodFrames;
    return {
      bpm,
      f1: beatF1(
        beats.get(id) ?? [],
        Array.from(hypothesis.beats, (f) => f / onsetRateHz),
        samples.length / 16_000,
      ),
      acc1: Math.abs(bpm - tempo) <= 0.04 * tempo ? 1 : 0,
      x: Array.from(hypothesis.features),
    };
  });
  hypotheses.write(JSON.stringify({ id, rows }) + '\n');
  const histogram = keyHistogram(chroma);
  if (histogram !== undefined) {
    const line = {
      id,
      histogram: Array.from(histogram),
      key: piece.key,
      keyConfidence: Number(piece.key_conf),
    };
    keys.write(JSON.stringify(line) + '\n');
  }
}
