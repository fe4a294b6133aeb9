/**
 * Next-track requests over HTTP at a fixed rate, whatever the answers take: latency, errors, and the highest rate that keeps
 * the 99th percentile within 50 ms.
 *
 *     npm run build && npx node test/bench/next-http.ts FOLDER [--heads 100000] [--rate 100] [--seconds 30] [--ladder]
 *
 * The music of FOLDER is ingested for real; perturbed copies of its entry points fill the index up (said in
 * test/support/synthetic-heads.ts). Every request asks for 20 candidates after a random track, with a market, without
 * explicit tracks, with a tempo band, an artist gap and a history; filters, re-rank, plans and reasons are those of the
 * product, descriptions and codes are read from the database each time. Latency counts from the time a request was due.
 * Client, server and database share the machine.
 */
import { seededRandom } from '@earmark/kernel';
import { openDatabase, sql } from '@earmark/storage';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Earmark } from '../support/earmark.ts';
import { fillWithSyntheticHeads } from '../support/synthetic-heads.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    heads: { type: 'string', default: '100000' },
    rate: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '30' },
    ladder: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
  },
});
const [folder] = positionals;
if (folder === undefined) throw new Error('name a folder of music');
const limitMs = 50;
const random = seededRandom(Number(values.seed));
const earmark = new Earmark({ EARMARK_LOG_LEVEL: 'warn', EARMARK_REQUESTS_PER_MINUTE: '10000000' });
try {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(mp3|ogg|opus|flac|wav)$/i.test(name))
    .sort()
    .map((name) => join(resolve(folder), name));
  const ingested = await earmark.run('ingest', ...files);
  if (ingested.code !== 0) throw new Error(ingested.stderr);
  const server = earmark.start('serve', '--port', '0', '--json');
  const [line] = (await once(server.stdout ?? server, 'data')) as [Buffer];
  const { url, key } = JSON.parse(line.toString()) as { url: string; key: string };
  const database = await openDatabase({ dataDir: earmark.dataDir });
  const size = await fillWithSyntheticHeads(database, Number(values.heads), Number(values.seed));
  await database.pool.query('ANALYZE');
  const { rows } = await database.pool.query<{ id: string; bpm: number | null }>(sql`
    SELECT track_id AS id, tempo_bpm AS bpm FROM track_analysis ORDER BY random() LIMIT 2000`);
  await database.close();

  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  const pick = (): (typeof rows)[number] =>
    rows[Math.floor(random.next() * rows.length)] ?? { id: '', bpm: null };
  const ask = (): Promise<number> => {
    const { id, bpm } = pick();
    const tempo = bpm ?? 120;
    const body = JSON.stringify({
      from: id,
      k: 20,
      filter: { market: 'DE', explicit: false, tempoBpm: { min: tempo * 0.88, max: tempo * 1.12 } },
      constraints: { artistGap: 3, maxCutMs: 30_000 },
      history: Array.from({ length: 5 }, () => pick().id),
    });
    return new Promise((done, fail) => {
      const sent = request(`${url}/v1/next`, {
        method: 'POST',
        agent,
        headers: {
          authorization: `Bearer ${key}`,
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
        },
      });
      sent.on('error', fail);
      sent.on('response', (response) => {
        response.resume();
        response.on('end', () => done(response.statusCode ?? 0));
      });
      sent.end(body);
    });
  };
  const loadedMs = performance.now();
  await ask();
  const firstAnswerMs = Math.round(performance.now() - loadedMs);
  // Profiles of the tracks that are asked for most are read once; a server in use has them.
  for (let i = 0; i < 300; i++) await ask();

  const run = async (rate: number, seconds: number): Promise<Figures> => {
    const latencies: number[] = [];
    let errors = 0;
    const startMs = performance.now();
    const open: Promise<void>[] = [];
    for (let n = 0; n < rate * seconds; n++) {
      const dueMs = startMs + (n * 1000) / rate;
      const waitMs = dueMs - performance.now();
      if (waitMs > 1) await sleep(waitMs);
      open.push(
        ask().then(
          (status) => {
            latencies.push(performance.now() - dueMs);
            if (status !== 200) errors++;
          },
          () => void errors++,
        ),
      );
    }
    await Promise.all(open);
    latencies.sort((a, b) => a - b);
    const at = (share: number): number =>
      Number(
        (latencies[Math.min(latencies.length - 1, Math.floor(share * latencies.length))] ?? 0).toFixed(1),
      );
    return { rate, requests: latencies.length, errors, p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99) };
  };
  const first = await run(Number(values.rate), Number(values.seconds));
  const steps: Figures[] = [];
  if (values.ladder) {
    for (let rate = 25; rate <= 1600; rate = Math.round(rate * 1.25)) {
      const step = await run(rate, Math.min(10, Number(values.seconds)));
      steps.push(step);
      if (step.p99Ms > limitMs * 4) break;
    }
  }
  const kept = steps.filter(({ p99Ms, errors }) => p99Ms <= limitMs && errors === 0);
  server.kill('SIGTERM');
  await once(server, 'exit');
  agent.destroy();
  console.log(
    JSON.stringify(
      {
        ...size,
        realTracks: files.length,
        firstAnswerMs,
        ...first,
        ...(values.ladder && { highestRateWithin50Ms: Math.max(0, ...kept.map(({ rate }) => rate)), steps }),
      },
      undefined,
      1,
    ),
  );
} finally {
  earmark.remove();
}

type Figures = Readonly<{
  rate: number;
  requests: number;
  errors: number;
  p50Ms: number;
  p95Ms: number;
  p99Ms: number;
}>;
