/**
 * Checks the detection of recordings that go on over a border (album order: gapless).
 *
 *     node test/quality/transition/gapless.ts MUSIC [PAIRS]
 *
 * MUSIC is a folder of training/tagging/decode_audio.py (tracks.jsonl, pcm/<id>.s16). PAIRS (default 100) borders of each kind:
 * a recording cut in two where it sounds, at any place; the end of one recording and the start of another of the same folder.
 */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { seededRandom } from '@earmark/kernel';
import { describeEdge, edgeSamples, isContinuous } from '@earmark/transition';

type Track = Readonly<{ id: string; path: string; samples: number; kind: string }>;

const [folder, wanted = '100'] = process.argv.slice(2);
const pairs = Number(wanted);
const random = seededRandom(21);
const tracks = readFileSync(join(folder, 'tracks.jsonl'), 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line) as Track)
  .filter(({ kind, samples }) => kind === 'music' && samples > 20 * 16_000 && samples < 299 * 16_000);

function samplesOf({ id }: Track, start: number): Float32Array {
  const bytes = Buffer.alloc(2 * edgeSamples);
  const file = openSync(join(folder, 'pcm', `${id}.s16`), 'r');
  readSync(file, bytes, 0, bytes.length, 2 * start);
  closeSync(file);
  return Float32Array.from({ length: edgeSamples }, (_, i) => bytes.readInt16LE(2 * i) / 32768);
}

function pick<T>(from: readonly T[]): T {
  return from[Math.floor(random.next() * from.length)];
}

function peak(samples: Float32Array): number {
  return samples.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

let [cutFound, cuts, otherFound, others] = [0, 0, 0, 0];
while (cuts < pairs) {
  const track = pick(tracks);
  const at = Math.floor(track.samples * (0.1 + 0.8 * random.next()));
  const [before, after] = [samplesOf(track, at - edgeSamples), samplesOf(track, at)];
  if (Math.min(peak(before), peak(after)) < 0.01) continue;
  cuts++;
  if (isContinuous(describeEdge(before, 'end'), describeEdge(after, 'start'))) cutFound++;
}
while (others < pairs) {
  const from = pick(tracks);
  const albums = tracks.filter((t) => t !== from && dirname(t.path) === dirname(from.path));
  if (albums.length === 0) continue;
  others++;
  const end = describeEdge(samplesOf(from, from.samples - edgeSamples), 'end');
  if (isContinuous(end, describeEdge(samplesOf(pick(albums), 0), 'start'))) otherFound++;
}
const report = {
  pairs,
  recall: cutFound / cuts,
  falseAlarms: otherFound / others,
  precision: cutFound / Math.max(1, cutFound + otherFound),
};
process.stdout.write(`${JSON.stringify(report)}\n`);
