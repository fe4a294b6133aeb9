/**
 * Analyses audio files as `earmark analyze` does, from FFmpeg's PCM.
 *
 *     node test/quality/analysis/analyze.ts AUDIO... > analyze.jsonl
 *
 * The lines are what the scorer of beats and keys reads; the real-time factor (CPU time without decoding) goes to stderr.
 * FFmpeg must be on the path.
 */
import { spawnSync } from 'node:child_process';
import { TrackAnalyzer } from '@earmark/analysis';
import { BeatSession } from '@earmark/models';

const nativeRateHz = 44_100;

function decode(path: string, rateHz: number, channels: number): Float32Array {
  const result = spawnSync(
    'ffmpeg',
    [
      '-v',
      'error',
      '-nostdin',
      '-i',
      path,
      '-ac',
      String(channels),
      '-ar',
      String(rateHz),
      '-f',
      'f32le',
      '-',
    ],
    { maxBuffer: 2 ** 31 - 1 },
  );
  if (result.status !== 0) throw new Error(`${path}: ${result.stderr.toString()}`);
  const bytes = new Uint8Array(result.stdout);
  return new Float32Array(bytes.buffer, 0, bytes.length >> 2);
}

const network = await BeatSession.open();
let seconds = 0;
let cpuMs = 0;
for (const path of process.argv.slice(2)) {
  const mono = decode(path, 16_000, 1);
  const stereo = decode(path, nativeRateHz, 2);
  const left = stereo.filter((_, i) => i % 2 === 0);
  const right = stereo.filter((_, i) => i % 2 === 1);
  const before = process.cpuUsage();
  const analyzer = new TrackAnalyzer(nativeRateHz, 2);
  for (let at = 0; at < mono.length; at += 16_000) analyzer.pushMono(mono.subarray(at, at + 16_000));
  for (let at = 0; at < left.length; at += nativeRateHz) {
    analyzer.pushChannels([left.subarray(at, at + nativeRateHz), right.subarray(at, at + nativeRateHz)]);
  }
  const result = await analyzer.finishWith(network);
  const used = process.cpuUsage(before);
  cpuMs += (used.user + used.system) / 1000;
  seconds += left.length / nativeRateHz;
  process.stdout.write(JSON.stringify({ path, ...result }) + '\n');
}
process.stderr.write(
  `${((1000 * seconds) / cpuMs).toFixed(0)} times real time, ${seconds.toFixed(0)} s of sound\n`,
);
