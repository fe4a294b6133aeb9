/**
 * Speed of both media decoders, by codec and duration.
 *
 * Usage: node test/bench/media.ts [--seconds 10,300] [--repeat 3]
 * Makes its own files with FFmpeg in a temporary folder. Prints CPU time (this process and its children) for each decode,
 * the multiple of real time on one core, and wall time. CPU time on a shared machine is the figure to compare.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { FfmpegDecoder, locateFfmpeg, WasmDecoder, type MediaDecoder } from '@earmark/media';

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '10,300' }, repeat: { type: 'string', default: '3' } },
});
const programs = await locateFfmpeg();
if (!programs) throw new Error('this bench needs FFmpeg to make its files');
const decoders: readonly MediaDecoder[] = [new FfmpegDecoder(programs), new WasmDecoder()];
const codecs: readonly (readonly [string, string, readonly string[]])[] = [
  ['PCM 16 bit', 'wav', ['-c:a', 'pcm_s16le']],
  ['MP3 128 kbit/s', 'mp3', ['-c:a', 'libmp3lame', '-b:a', '128k']],
  ['FLAC', 'flac', ['-c:a', 'flac']],
  ['Vorbis q4', 'ogg', ['-c:a', 'libvorbis', '-q:a', '4']],
  ['Opus 96 kbit/s', 'opus', ['-c:a', 'libopus', '-b:a', '96k']],
  ['AAC 128 kbit/s', 'm4a', ['-c:a', 'aac', '-b:a', '128k']],
];

/** CPU milliseconds of this process and of children that have ended. */
function cpuMs(): number {
  const own = process.cpuUsage();
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]?.split(' ') ?? [];
  const ticks = Number(fields[13]) + Number(fields[14]);
  return (own.user + own.system) / 1_000 + ticks * 10;
}

const folder = mkdtempSync(join(tmpdir(), 'earmark-bench-'));
try {
  console.log('| seconds | codec | decoder | CPU ms | x real time | wall ms |');
  console.log('|---:|---|---|---:|---:|---:|');
  for (const seconds of values.seconds.split(',').map(Number)) {
    for (const [name, extension, options] of codecs) {
      const path = join(folder, `${seconds}.${extension}`);
      const sound = `aevalsrc=0.4*sin(2*PI*(220+5*t)*t)+0.05*(random(0)-0.5)|0.3*sin(2*PI*330*t):s=44100:d=${seconds}`;
      execFileSync(programs.ffmpeg, [
        '-nostdin',
        '-v',
        'error',
        '-f',
        'lavfi',
        '-i',
        sound,
        ...options,
        path,
      ]);
      for (const decoder of decoders) {
        await decode(decoder, path);
        // The median: other work on the machine only ever adds.
        const runs: { cpu: number; wall: number }[] = [];
        for (let run = 0; run < Number(values.repeat); run++) {
          const [cpu, wall] = [cpuMs(), performance.now()];
          await decode(decoder, path);
          runs.push({ cpu: cpuMs() - cpu, wall: performance.now() - wall });
        }
        const cpu = median(runs.map((run) => run.cpu));
        const wall = median(runs.map((run) => run.wall));
        const speed = ((seconds * 1_000) / cpu).toFixed(0);
        console.log(
          `| ${seconds} | ${name} | ${decoder.name} | ${cpu.toFixed(0)} | ${speed} | ${wall.toFixed(0)} |`,
        );
      }
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function decode(decoder: MediaDecoder, path: string): Promise<void> {
  let frames = 0;
  for await (const block of decoder.decode(path)) frames += block.channels[0]?.length ?? 0;
  if (frames === 0) throw new Error(`${path}: nothing decoded`);
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}
