/**
 * Ingests a folder of music through the real command line and prints speed, memory and bytes per hour of music.
 *
 *     npm run build && npx node test/bench/ingest.ts FOLDER [--hours 10]
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Earmark, finished } from '../support/earmark.ts';

const media = /\.(mp3|ogg|oga|opus|flac|wav|m4a|aac)$/i;
const samplingMs = 200;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { hours: { type: 'string', default: '10' } },
});
const [folder] = positionals;
if (folder === undefined) throw new Error('name a folder of music');

const earmark = new Earmark();
try {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => media.test(name))
    .sort()
    .map((name) => join(resolve(folder), name));
  let durationMs = 0;
  let peakMegabytes = 0;
  let decoderMegabytes = 0;
  let tracks = 0;
  const startedMs = performance.now();
  const target = Number(values.hours) * 3_600_000;
  for (let at = 0; at < files.length && durationMs < target; at += 200) {
    const child = earmark.start('ingest', ...files.slice(at, at + 200), '--json');
    const sampling = setInterval(() => {
      const { pid } = child;
      if (pid === undefined) return;
      const own = residentMegabytes(pid);
      peakMegabytes = Math.max(peakMegabytes, own);
      for (const other of childrenOf(pid))
        decoderMegabytes = Math.max(decoderMegabytes, residentMegabytes(other));
    }, samplingMs);
    const { rows } = await finished(child);
    clearInterval(sampling);
    for (const row of rows) {
      if (row.status === 'ready') tracks++;
      if (row.status === 'ready') durationMs += row.durationMs ?? 0;
    }
  }
  const elapsedMs = performance.now() - startedMs;
  const hours = durationMs / 3_600_000;
  const indexBytes = sizeOf(join(earmark.dataDir, 'index'));
  console.log(
    JSON.stringify({
      hours: round(hours),
      tracks,
      realTimeFactor: round(durationMs / elapsedMs),
      peakResidentMb: round(peakMegabytes),
      peakChildResidentMb: round(decoderMegabytes),
      indexMbPerHour: round(indexBytes / 1e6 / hours),
    }),
  );
} finally {
  earmark.remove();
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function residentMegabytes(pid: number): number {
  try {
    const line = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return Number(line?.[1] ?? 0) / 1000;
  } catch {
    return 0; // ended meanwhile
  }
}

function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
    );
  } catch {
    return [];
  }
}

function sizeOf(folder: string): number {
  let bytes = 0;
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const about = statSync(join(folder, name));
    if (about.isFile()) bytes += about.size;
  }
  return bytes;
}
