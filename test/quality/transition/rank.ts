/**
 * Ranks evaluation cases as `earmark transition rank` does, from FFmpeg's PCM.
 *
 *     node test/quality/transition/rank.ts QUERIES.jsonl > run.jsonl
 *
 * Input lines `{"id","tail":{"path","startMs","endMs"},"candidates":[{"id","path","startMs","endMs"}]}`, output lines
 * `{"id","ranked","scores"}`. FFmpeg must be on the path.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { WindowFeatures, builtInModel, rankHeads, transitionRateHz, type Side } from '@earmark/transition';

type Window = Readonly<{ path: string; startMs: number; endMs: number }>;
type Query = Readonly<{
  id: string;
  tail: Window;
  candidates: readonly (Window & Readonly<{ id: string }>)[];
}>;

const model = builtInModel();
const features = new WindowFeatures();
const decoded = new Map<string, Int16Array>();
const embedded = new Map<string, Float32Array>();

function pcm(path: string): Int16Array {
  let samples = decoded.get(path);
  if (samples === undefined) {
    const rate = String(transitionRateHz);
    const command = ['-v', 'error', '-nostdin', '-i', path, '-ac', '1', '-ar', rate, '-f', 's16le', '-'];
    const result = spawnSync('ffmpeg', command, { maxBuffer: 2 ** 31 - 1 });
    if (result.status !== 0) throw new Error(`${path}: ${result.stderr.toString()}`);
    const bytes = new Uint8Array(result.stdout);
    samples = new Int16Array(bytes.buffer, 0, bytes.length >> 1);
    decoded.set(path, samples);
  }
  return samples;
}

function embed(window: Window, side: Side): Float32Array {
  const key = `${side} ${window.path} ${window.startMs} ${window.endMs}`;
  let vector = embedded.get(key);
  if (vector === undefined) {
    const at = (ms: number) => Math.round((ms * transitionRateHz) / 1000);
    const samples = Float32Array.from(
      pcm(window.path).subarray(at(window.startMs), at(window.endMs)),
      (v) => v / 32768,
    );
    vector = model.embed(features.describe(samples, side), side);
    embedded.set(key, vector);
  }
  return vector;
}

for (const line of readFileSync(process.argv[2], 'utf8').split('\n')) {
  if (line === '') continue;
  const query = JSON.parse(line) as Query;
  const heads = query.candidates.map((c) => ({ id: c.id, code: embed(c, 'head') }));
  const { ranked, scores } = rankHeads(model, embed(query.tail, 'tail'), heads);
  process.stdout.write(JSON.stringify({ id: query.id, ranked, scores }) + '\n');
}
