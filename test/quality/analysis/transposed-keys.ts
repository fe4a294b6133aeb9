/**
 * Checks that transposed music gets the transposed key.
 *
 *     node test/quality/analysis/transposed-keys.ts AUDIO...
 *
 * Each recording (its first 30 s) is played faster or slower by whole semitones, so that all of it moves, and the key found is
 * compared with that of the recording as it is. Prints one line of JSON: pairs, the share with the same mode and the
 * moved tonic, and that share for each shift. FFmpeg must be on the path.
 */
import { spawnSync } from 'node:child_process';
import { ChromaExtractor, estimateKey, pitchClassNames } from '@earmark/analysis';

const rateHz = 16_000;
const shifts = [-5, -2, 2, 4];

/** Pitch class and mode as one number, 0..23; absent when nothing tonal sounds. */
function keyOf(path: string, semitones: number): number | undefined {
  const played = Math.round(rateHz * 2 ** (semitones / 12));
  const filter = `aresample=${rateHz},asetrate=${played},aresample=${rateHz}`;
  const words = ['-v', 'error', '-nostdin', '-t', '30', '-i', path, '-ac', '1', '-af', filter];
  const result = spawnSync('ffmpeg', [...words, '-f', 'f32le', '-'], { maxBuffer: 2 ** 28 });
  if (result.status !== 0) throw new Error(`${path}: ${result.stderr.toString()}`);
  const bytes = new Uint8Array(result.stdout);
  const extractor = new ChromaExtractor();
  extractor.push(new Float32Array(bytes.buffer, 0, bytes.length >> 2));
  const key = estimateKey(extractor.finish());
  return key === undefined ? undefined : pitchClassNames.indexOf(key.tonic) + (key.mode === 'minor' ? 12 : 0);
}

const right = shifts.map(() => 0);
let recordings = 0;
for (const path of process.argv.slice(2)) {
  const plain = keyOf(path, 0);
  if (plain === undefined) continue;
  recordings++;
  for (const [i, semitones] of shifts.entries()) {
    const wanted = ((plain + semitones + 12) % 12) + (plain >= 12 ? 12 : 0);
    if (keyOf(path, semitones) === wanted) right[i]++;
  }
}
const all = right.reduce((sum, count) => sum + count, 0);
const byShift = Object.fromEntries(shifts.map((semitones, i) => [semitones, right[i] / recordings]));
process.stdout.write(
  `${JSON.stringify({ pairs: recordings * shifts.length, share: all / (recordings * shifts.length), byShift })}\n`,
);
