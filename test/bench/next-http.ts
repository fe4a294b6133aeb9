/**
 * Next-track requests over HTTP at a fixed rate, whatever the answers take: latency, errors, CPU time of everybody who takes
 * part, and the highest rate that keeps the 99th percentile within 50 ms.
 *
 *     npm run build && npx node test/bench/next-http.ts FOLDER [--heads 100000] [--rate 100] [--seconds 30] [--ladder]
 *       [--data-dir DIR] [--profile DIR] [--answers FILE]
 *
 * The music of FOLDER is ingested for real; perturbed copies of its entry points fill the index up (said in
 * test/support/synthetic-heads.ts). Every request asks for 20 candidates after a random track, with a market, without
 * explicit tracks, with a tempo band, an artist gap and a history; filters, re-rank, plans and reasons are those of the
 * product, descriptions are read from the database each time, codes and profiles of tracks that were not asked for lately as
 * well. Latency counts from the time a request was due. Client, server and database share the machine.
 *
 * With --data-dir the catalog stays for another run, with --profile the server writes a CPU profile of its life into a
 * folder, with --answers the answers to the first 600 requests are written to a file, to be compared with those of
 * another version on the same catalog.
 */
import { seededRandom } from '@earmark/kernel';
import { openDatabase, PgApiKeyStore, sql } from '@earmark/storage';
import type { TenantId } from '@earmark/kernel';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Earmark } from '../support/earmark.ts';
import { childrenCpuMsOf, cpuMsOf, mainThreadCpuMsOf, memoryMbOf } from '../support/process-cpu.ts';
import { fillWithSyntheticHeads } from '../support/synthetic-heads.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    heads: { type: 'string', default: '100000' },
    rate: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '30' },
    ladder: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    'data-dir': { type: 'string' },
    profile: { type: 'string' },
    answers: { type: 'string' },
  },
});
const [folder] = positionals;
if (folder === undefined) throw new Error('name a folder of music');
const limitMs = 50;
/** Two at a time, so that more than one thread of the server gets its share. */
const warmUpRequests = 600;
const tracksAskedFor = 2_000;
const random = seededRandom(Number(values.seed));
const dataDir = values['data-dir'];
const quiet = { EARMARK_LOG_LEVEL: 'warn', EARMARK_REQUESTS_PER_MINUTE: '10000000' };
const earmark = new Earmark(quiet, ...(dataDir === undefined ? [] : [resolve(dataDir)]));

type Asked = Readonly<{ id: string; bpm: number | null; tenantId: TenantId }>;
type Answer = Readonly<{ status: number; body: string }>;

try {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(mp3|ogg|opus|flac|wav)$/i.test(name))
    .sort()
    .map((name) => join(resolve(folder), name));
  const ingested = await earmark.run('ingest', ...files);
  if (ingested.code !== 0) throw new Error(ingested.stderr);
  const database = await openDatabase({ dataDir: earmark.dataDir });
  const filledMs = performance.now();
  const size = await fillWithSyntheticHeads(database, Number(values.heads), Number(values.seed));
  await database.pool.query('ANALYZE');
  const fillSeconds = Math.round((performance.now() - filledMs) / 1000);
  const { rows } = await database.pool.query<Asked>(sql`
    SELECT track_id AS id, tempo_bpm AS bpm, tenant_id AS "tenantId"
      FROM track_analysis ORDER BY md5(track_id) LIMIT ${tracksAskedFor}`);
  const [{ tenantId } = { tenantId: '' as TenantId }] = rows;
  const scopes = ['transitions:read'];
  const { secret } = await new PgApiKeyStore(database.pool).create({ tenantId, name: 'bench', scopes });

  const profiling =
    values.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${resolve(values.profile)}`];
  const startedMs = performance.now();
  const server = earmark
    .withEnvironment({ NODE_OPTIONS: profiling.join(' ') })
    .start('serve', '--port', '0', '--json');
  const [line] = (await once(server.stdout ?? server, 'data')) as [Buffer];
  const { url } = JSON.parse(line.toString()) as { url: string };
  const pid = server.pid ?? 0;
  await database.close();
  const postmaster = Number(
    readFileSync(join(earmark.dataDir, 'postgres/cluster/postmaster.pid'), 'utf8').split('\n')[0],
  );

  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  const pick = (): Asked => {
    const one = rows[Math.floor(random.next() * rows.length)];
    if (one === undefined) throw new Error('no track was analysed');
    return one;
  };
  const ask = (): Promise<Answer> => {
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
          authorization: `Bearer ${secret}`,
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
        },
      });
      sent.on('error', fail);
      sent.on('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          done({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
        );
      });
      sent.end(body);
    });
  };
  await ask();
  const firstAnswerMs = Math.round(performance.now() - startedMs);
  // Tracks that are asked for most are read once; a server in use has them.
  const answers: string[] = [];
  while (answers.length < warmUpRequests) {
    for (const { body } of await Promise.all([ask(), ask()])) answers.push(body);
  }
  if (values.answers !== undefined) writeFileSync(values.answers, answers.join('\n'));

  /** CPU time so far, ms. */
  const usage = (): Record<'server' | 'serverThread' | 'database' | 'client', number> => {
    const { user, system } = process.cpuUsage();
    return {
      server: cpuMsOf(pid),
      serverThread: mainThreadCpuMsOf(pid),
      database: childrenCpuMsOf(postmaster),
      client: (user + system) / 1000,
    };
  };
  const run = async (rate: number, seconds: number): Promise<Figures> => {
    const latencies: number[] = [];
    let errors = 0;
    const before = usage();
    const startMs = performance.now();
    const open: Promise<void>[] = [];
    for (let n = 0; n < rate * seconds; n++) {
      const dueMs = startMs + (n * 1000) / rate;
      const waitMs = dueMs - performance.now();
      if (waitMs > 1) await sleep(waitMs);
      open.push(
        ask().then(
          ({ status }) => {
            latencies.push(performance.now() - dueMs);
            if (status !== 200) errors++;
          },
          () => void errors++,
        ),
      );
    }
    await Promise.all(open);
    const after = usage();
    const perRequest = (who: keyof typeof after): number =>
      Number(((after[who] - before[who]) / open.length).toFixed(2));
    latencies.sort((a, b) => a - b);
    const at = (share: number): number =>
      Number(
        (latencies[Math.min(latencies.length - 1, Math.floor(share * latencies.length))] ?? 0).toFixed(1),
      );
    return {
      rate,
      requests: latencies.length,
      errors,
      p50Ms: at(0.5),
      p95Ms: at(0.95),
      p99Ms: at(0.99),
      cpuMs: {
        server: perRequest('server'),
        serverThread: perRequest('serverThread'),
        database: perRequest('database'),
        client: perRequest('client'),
      },
    };
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
  const memory = memoryMbOf(pid);
  server.kill('SIGTERM');
  await once(server, 'exit');
  agent.destroy();
  console.log(
    JSON.stringify(
      {
        ...size,
        realTracks: files.length,
        fillSeconds,
        firstAnswerMs,
        answerBytes: Math.round(answers.reduce((sum, { length }) => sum + length, 0) / answers.length),
        ...memory,
        ...first,
        ...(values.ladder && { highestRateWithin50Ms: Math.max(0, ...kept.map(({ rate }) => rate)), steps }),
      },
      undefined,
      1,
    ),
  );
} finally {
  if (dataDir === undefined) earmark.remove();
}

type Figures = Readonly<{
  rate: number;
  requests: number;
  errors: number;
  p50Ms: number;
  p95Ms: number;
  p99Ms: number;
  /** CPU time of one request; `serverThread`: of the thread that serves HTTP. */
  cpuMs: Readonly<{ server: number; serverThread: number; database: number; client: number }>;
}>;
