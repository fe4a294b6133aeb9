/**
 * Identify requests over HTTP against a large catalog: rate, latency and errors.
 *
 *     npm run build && npx node test/bench/identify-http.ts FOLDER [--hours 100] [--requests 1000] [--parallel 16]
 *       [--foreign 0] [--seconds 60]
 *
 * With --foreign N, N clients send clips that are in no catalog (the music backwards) for --seconds after that, while
 * somebody asks two cheap routes 20 times a second: who else waits for a search?
 *
 * The music of FOLDER is ingested for real; perturbed copies of its peaks fill the catalog up. Clips are 10 s MP3 made with
 * FFmpeg from random places of the real music. Client and server share the machine.
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
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
    foreign: { type: 'string', default: '0' },
    seconds: { type: 'string', default: '60' },
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

  const readable = realRun.rows.filter(({ durationMs = 0 }) => durationMs > 25_000);
  const clips = Array.from({ length: Number(values.clips) }, (_, i) => cutClip(readable, `${i}.mp3`));
  const foreignClips =
    Number(values.foreign) === 0
      ? []
      : Array.from({ length: 20 }, (_, i) => cutClip(readable, `foreign-${i}.mp3`, ['-af', 'areverse']));

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
      const startedMs = performance.now();
      const { ok, path } = await identify(url, key, clip);
      latencies.push(performance.now() - startedMs);
      if (!ok) errors++;
      else if (path === clip.path) right++;
    }
  };
  const startedMs = performance.now();
  await Promise.all(Array.from({ length: Number(values.parallel) }, ask));
  const elapsedMs = performance.now() - startedMs;
  const foreign = foreignClips.length > 0 ? await besideForeign(url, key, foreignClips) : undefined;
  server.kill('SIGTERM');
  await once(server, 'exit');
  console.log(
    JSON.stringify({
      realHours: Number(realHours.toFixed(1)),
      perturbedHours: Number(fillerHours.toFixed(1)),
      requests: total,
      parallel: Number(values.parallel),
      errors,
      rightTrackShare: right / total,
      perSecond: Number(((total / elapsedMs) * 1000).toFixed(1)),
      ...percentilesOf(latencies),
      ...(foreign && { foreign }),
    }),
  );
} finally {
  earmark.remove();
  rmSync(scratch, { recursive: true, force: true });
}

function hoursOf(rows: readonly Row[]): number {
  return rows.reduce((sum, { durationMs = 0 }) => sum + durationMs, 0) / 3_600_000;
}

type Clip = Readonly<{ path: string; bytes: Buffer }>;

/** A clip of 10 s from a random place of a random track. */
function cutClip(tracks: readonly Row[], name: string, filter: readonly string[] = []): Clip {
  const { path, durationMs = 0 } = tracks[Math.floor(random.next() * tracks.length)] ?? {};
  if (path === undefined) throw new Error('no music of 25 s');
  const startSeconds = 5 + random.next() * (durationMs / 1000 - 20);
  const clip = join(scratch, name);
  const cut = ['-ss', startSeconds.toFixed(2), '-t', '10', '-i', path, ...filter, '-b:a', '128k', clip];
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...cut]);
  return { path, bytes: readFileSync(clip) };
}

async function identify(
  url: string,
  key: string,
  clip: Clip,
): Promise<{ ok: boolean; path: string | undefined }> {
  const form = new FormData();
  form.append('file', new Blob([new Uint8Array(clip.bytes)], { type: 'audio/mpeg' }), 'clip.mp3');
  const headers = { authorization: `Bearer ${key}` };
  const response = await fetch(`${url}/v1/identify`, { method: 'POST', headers, body: form });
  const answer = (await response.json()) as Row;
  return { ok: response.ok, path: answer.matches?.[0]?.path };
}

/** What cheap routes take while clips are identified that are in no catalog. */
async function besideForeign(url: string, key: string, foreign: readonly Clip[]): Promise<object> {
  const begunMs = performance.now();
  const endMs = begunMs + Number(values.seconds) * 1000;
  let asked = 0;
  let failed = 0;
  let answered = 0;
  const waits: number[] = [];
  const send = async (): Promise<void> => {
    while (performance.now() < endMs) {
      const clip = foreign[asked++ % foreign.length];
      if (clip === undefined) return;
      const startedMs = performance.now();
      const { ok, path } = await identify(url, key, clip);
      waits.push(performance.now() - startedMs);
      if (!ok) failed++;
      else if (path !== undefined) answered++;
    }
  };
  const routes = { '/health/live': [] as number[], '/v1/tracks?limit=1': [] as number[] };
  const look = async (): Promise<void> => {
    const open: Promise<void>[] = [];
    for (let n = 0; performance.now() < endMs; n++) {
      for (const [route, times] of Object.entries(routes)) {
        const startedMs = performance.now();
        const answer = fetch(`${url}${route}`, { headers: { authorization: `Bearer ${key}` } });
        open.push(
          answer
            .then((response) => response.arrayBuffer())
            .then(() => void times.push(performance.now() - startedMs)),
        );
      }
      await sleep(Math.max(0, begunMs + (n + 1) * 50 - performance.now()));
    }
    await Promise.all(open);
  };
  await Promise.all([look(), ...Array.from({ length: Number(values.foreign) }, send)]);
  const perSecond = Number(((waits.length / (performance.now() - begunMs)) * 1000).toFixed(2));
  return {
    clients: Number(values.foreign),
    clips: waits.length,
    failed,
    answered,
    perSecond,
    identify: percentilesOf(waits),
    ...Object.fromEntries(Object.entries(routes).map(([route, times]) => [route, percentilesOf(times)])),
  };
}

function percentilesOf(samples: readonly number[]): Record<'p50Ms' | 'p95Ms' | 'p99Ms', number> {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0);
  return { p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99) };
}
