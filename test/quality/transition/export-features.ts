/**
 * Describes the windows that training/transition/make_windows.py made.
 *
 *     node test/quality/transition/export-features.ts WINDOWS_FOLDER... > features.jsonl
 *
 * One line a seam: track, package, split, and the feature rows of the tail (side a), of the true head 4 s after it (side b)
 * and of the same head stretched (side t), base64 of float32.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { WindowFeatures, transitionRateHz, windowMs, type Side } from '@earmark/transition';

type Track = Readonly<{
  id: string;
  package: string;
  split: string;
  path: string;
  seconds: number;
  ratio: number;
}>;

const gapSeconds = 4;
const seams = 5;
const windowSeconds = windowMs / 1000;
const features = new WindowFeatures();

function read(path: string): Float32Array {
  const bytes = readFileSync(path);
  const out = new Float32Array(bytes.length >> 1);
  for (let i = 0; i < out.length; i++) out[i] = bytes.readInt16LE(2 * i) / 32768;
  return out;
}

function row(samples: Float32Array, startSeconds: number, side: Side): string {
  const start = Math.round(startSeconds * transitionRateHz);
  const values = features.describe(samples.subarray(start, start + windowSeconds * transitionRateHz), side);
  return Buffer.from(values.buffer).toString('base64');
}

const seen = new Set<string>();
for (const folder of process.argv.slice(2)) {
  for (const line of readFileSync(join(folder, 'index.jsonl'), 'utf8').split('\n')) {
    if (line === '') continue;
    const track = JSON.parse(line) as Track;
    if (seen.has(track.path) || !existsSync(join(folder, `${track.id}.t.s16`))) continue;
    seen.add(track.path);
    const side = (name: string) => read(join(folder, `${track.id}.${name}.s16`));
    const [a, b, t] = [side('a'), side('b'), side('t')];
    const room = track.seconds - 2 * windowSeconds - gapSeconds - 2;
    for (let i = 0; i < seams; i++) {
      const at = windowSeconds + 0.5 + (room * (i + 0.5)) / seams;
      const line = {
        track: track.path,
        package: track.package,
        split: track.split,
        tail: row(a, at - windowSeconds, 'tail'),
        head: row(b, at + gapSeconds, 'head'),
        stretched: row(t, (at + gapSeconds) / track.ratio, 'head'),
      };
      process.stdout.write(JSON.stringify(line) + '\n');
    }
  }
}
