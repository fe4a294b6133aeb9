/**
 * Describes the windows that training/transition/make_seams.py and make_joins.py cut.
 *
 *     node test/quality/transition/export-features.ts SEAMS_FOLDER
 *
 * Reads SEAMS_FOLDER/index.jsonl ({"id", "sides"?}) and `<id>.s16` (windows of 8 s, one after the other), writes layout.json and `<id>.f32`:
 * row-major [windows, featureSize]. Windows of make_seams.py are tail, next, head, other for each seam, then end, start; a
 * list of `sides` says otherwise. Resumable.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { WindowFeatures, featureLayout, transitionRateHz, windowMs, type Side } from '@earmark/transition';

type Entry = Readonly<{ id: string; sides?: readonly Side[] }>;

const windowSamples = (windowMs * transitionRateHz) / 1000;
const features = new WindowFeatures();
const samples = new Float32Array(windowSamples);
const folder = process.argv[2];

function sideOf(index: number, count: number): Side {
  if (index === count - 2) return 'tail';
  return index % 4 === 0 && index < count - 2 ? 'tail' : 'head';
}

writeFileSync(join(folder, 'layout.json'), JSON.stringify(featureLayout));
for (const line of readFileSync(join(folder, 'index.jsonl'), 'utf8').split('\n')) {
  if (line === '') continue;
  const { id, sides } = JSON.parse(line) as Entry;
  const target = join(folder, `${id}.f32`);
  if (existsSync(target)) continue;
  const bytes = readFileSync(join(folder, `${id}.s16`));
  const sound = new Int16Array(new Uint8Array(bytes).buffer);
  const count = Math.floor(sound.length / windowSamples);
  const rows: Float32Array[] = [];
  for (let w = 0; w < count; w++) {
    const at = w * windowSamples;
    for (let i = 0; i < windowSamples; i++) samples[i] = sound[at + i] / 32768;
    rows.push(features.describe(samples, sides?.[w] ?? sideOf(w, count)));
  }
  writeFileSync(target, Buffer.concat(rows.map((row) => Buffer.from(row.buffer))));
}
