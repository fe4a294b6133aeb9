/**
 * Identify requests over HTTP against a large catalog: rate, latency and errors.
 *
 *     npm run build && npx node test/bench/identify-http.ts FOLDER [--hours 100] [--requests 1000] [--parallel 16]
 *
 * The music of FOLDER is ingested for real; perturbed copies of its peaks fill the catalog up. Clips are 10 s MP3 made with
 * FFmpeg from random places of the real music. Client and server share the machine.
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { seededRandom } from '@earmark/kernel';
import { Earmark, finished, type Row } from '../support/earmark.ts';
import { writePerturbedCatalog } from '../support/perturbed-catalog.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    hours: { type: 'string', default: '100' },
    requests: { type: 'string', default: '1000' },
    parallel: { type: 'string', default: '16' },
    clips: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
  },
});
const [folder] = positionals;
if (folder === undefined) throw new Error('name a folder of music');
const random = seededRandom(Number(values.seed));
const earmark = new Earmark({ EARMARK_LOG_LEVEL: 'warn', EARMARK_REQUESTS_PER_MINUTE: '1000000' });
const scratch = mkdtempSync(join(tmpdir(), 'earmark-bench-'));
try {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(mp3|ogg|opus|flac|wav)$/i.test(name))
    .sort()
    .map((name) => join(resolve(folder), name));
  const real = join(scratch, 'real.emfp');
  await finished(earmark.start('fingerprint', ...files, '--out', real));
  const filler = join(scratch, 'filler.emfp');
  const realRun = await earmark.run('ingest', real, '--allow-duplicates');
  const realHours = hoursOf(realRun.rows);
  const fillerHours = writePerturbedCatalog(
    real,
    filler,
    Number(values.hours) - realHours,
    Number(values.seed),
  );
  await earmark.run('ingest', filler, '--allow-duplicates');

  const clips: { path: string; bytes: Buffer }[] = [];
  const readable = realRun.rows.filter(({ durationMs = 0 }) => durationMs > 25_000);
  for (let i = 0; i < Number(values.clips); i++) {
    const row = readable[Math.floor(random.next() * readable.length)];
    if (row?.path === undefined) throw new Error('no music of 25 s');
    const startSeconds = 5 + random.next() * ((row.durationMs ?? 0) / 1000 - 20);
    const clip = join(scratch, `${i}.mp3`);
    const cut = ['-ss', startSeconds.toFixed(2), '-t', '10', '-i', row.path, '-b:a', '128k', clip];
    execFileSync('ffmpeg', ['-v', 'error', '-y', ...cut]);
    clips.push({ path: row.path, bytes: readFileSync(clip) });
  }

  const server = earmark.start('serve', '--port', '0', '--json');
  const [line] = (await once(server.stdout ?? server, 'data')) as [Buffer];
  const { url, key } = JSON.parse(line.toString()) as { url: string; key: string };
  const latencies: number[] = [];
  let errors = 0;
  let right = 0;
  let next = 0;
  const total = Number(values.requests);
  const ask = async (): Promise<void> => {
    while (next < total) {
      const clip = clips[next++ % clips.length];
      if (clip === undefined) return;
      const form = new FormData();
      form.append('file', new Blob([new Uint8Array(clip.bytes)], { type: 'audio/mpeg' }), 'clip.mp3');
      const startedMs = performance.now();
      const response = await fetch(`${url}/v1/identify`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}` },
        body: form,
      });
      const answer = (await response.json()) as Row;
      latencies.push(performance.now() - startedMs);
      if (!response.ok) errors++;
      else if (answer.matches?.[0]?.path === clip.path) right++;
    }
  };
  const startedMs = performance.now();
  await Promise.all(Array.from({ length: Number(values.parallel) }, ask));
  const elapsedMs = performance.now() - startedMs;
  server.kill('SIGTERM');
  await once(server, 'exit');
  latencies.sort((a, b) => a - b);
  const at = (share: number): number =>
    Math.round(latencies[Math.min(total - 1, Math.floor(share * total))] ?? 0);
  console.log(
    JSON.stringify({
      realHours: Number(realHours.toFixed(1)),
      perturbedHours: Number(fillerHours.toFixed(1)),
      requests: total,
      parallel: Number(values.parallel),
      errors,
      rightTrackShare: right / total,
      perSecond: Number(((total / elapsedMs) * 1000).toFixed(1)),
      p50Ms: at(0.5),
      p95Ms: at(0.95),
      p99Ms: at(0.99),
    }),
  );
} finally {
  earmark.remove();
  rmSync(scratch, { recursive: true, force: true });
}

function hoursOf(rows: readonly Row[]): number {
  return rows.reduce((sum, { durationMs = 0 }) => sum + durationMs, 0) / 3_600_000;
}
