import type { TenantId } from '@earmark/kernel';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { jobChannel, JobQueue, newId, PgCatalogStore, type JobLease } from './index.js';
import { openTestDatabase, type TestDatabase } from './testing.js';

let test: TestDatabase;
let tenantId: TenantId;
let queue: JobQueue;

beforeAll(async () => {
  test = await openTestDatabase();
  tenantId = await new PgCatalogStore(test.database.pool).ensureTenant('acme');
  queue = new JobQueue(test.database);
});
afterAll(() => test.end());

async function take(kind: string, from = queue): Promise<JobLease> {
  const lease = await from.lease('worker-1', [kind]);
  if (!lease) throw new Error('nothing to do');
  return lease;
}

/** Puts a job's next try or lease into the past, as waiting would. */
async function passTime(id: string): Promise<void> {
  await test.database.pool.query(
    `UPDATE job SET run_at = now() - interval '1 hour', leased_until = leased_until - interval '1 hour' WHERE id = $1`,
    [id],
  );
}

it('gives each job to one worker only', async () => {
  const jobs = await Promise.all(
    Array.from({ length: 20 }, (_, i) => queue.enqueue({ tenantId, kind: 'once', payload: { i } })),
  );
  const leases = await Promise.all(
    Array.from({ length: 30 }, (_, i) => queue.lease(`worker-${i}`, ['once'])),
  );
  const taken = leases.flatMap((lease) => (lease ? [lease.job.id] : []));
  expect([...taken].sort()).toEqual(jobs.map((job) => job.id).sort());
  expect(await queue.lease('late', ['once'])).toBeUndefined();
});

it('keeps progress and result', async () => {
  const { id } = await queue.enqueue({ tenantId, kind: 'progress', payload: { path: 'ä' } });
  const lease = await take('progress');
  expect(lease.job).toMatchObject({ id, payload: { path: 'ä' }, state: 'running', attempts: 1 });
  expect(await queue.renew(lease, { stage: 'decode', done: 3.6, total: 10 })).toBe('held');
  expect(await queue.findById(tenantId, id)).toMatchObject({ stage: 'decode', done: 4, total: 10 });
  await queue.complete(lease, { scanId: 'x' });
  const ended = await queue.findById(tenantId, id);
  expect(ended).toMatchObject({ state: 'done', done: 10, total: 10, result: { scanId: 'x' } });
  expect(ended?.finishedAtMs).toBeGreaterThan(0);
  expect(await queue.renew(lease)).toBe('lost');
});

it('tells a worker that its job should end', async () => {
  const { id } = await queue.enqueue({ tenantId, kind: 'cancel', payload: {} });
  const lease = await take('cancel');
  expect((await queue.cancel(tenantId, id))?.cancelRequested).toBe(true);
  expect(await queue.renew(lease)).toBe('cancelled');
  await queue.cancelled(lease);
  expect((await queue.findById(tenantId, id))?.state).toBe('cancelled');
});

it('cancels a job that nobody has taken at once, and leaves a finished one alone', async () => {
  const { id } = await queue.enqueue({ tenantId, kind: 'cancel', payload: {} });
  expect((await queue.cancel(tenantId, id))?.state).toBe('cancelled');
  expect(await queue.lease('w', ['cancel'])).toBeUndefined();
  await queue.enqueue({ tenantId, kind: 'cancel', payload: {} });
  const lease = await take('cancel');
  await queue.complete(lease, null);
  expect(await queue.cancel(tenantId, lease.job.id)).toMatchObject({ state: 'done', cancelRequested: false });
  expect(await queue.cancel(tenantId, newId('job'))).toBeUndefined();
});

it('tries a passing failure again after a pause and gives up at the last try', async () => {
  const { id } = await queue.enqueue({ tenantId, kind: 'retry', payload: {}, maxAttempts: 2 });
  await queue.retry(await take('retry'), { code: 'storage.unreachable', title: 'gone' });
  expect(await queue.lease('w', ['retry'])).toBeUndefined();
  expect(await queue.nextDueMs(['retry'])).toBeGreaterThan(1000);
  await passTime(id);
  await queue.retry(await take('retry'), { code: 'storage.unreachable', title: 'gone' });
  expect(await queue.findById(tenantId, id)).toMatchObject({
    state: 'failed',
    attempts: 2,
    error: { code: 'storage.unreachable' },
  });
});

it('takes over the job of a lost worker, which then cannot end it', async () => {
  const { id } = await queue.enqueue({ tenantId, kind: 'lost', payload: {} });
  const lost = await take('lost');
  await passTime(id);
  const second = await queue.lease('worker-2', ['lost']);
  expect(second?.job).toMatchObject({ id, attempts: 2 });
  expect(await queue.renew(lost)).toBe('lost');
  await queue.complete(lost, 'wrong');
  expect((await queue.findById(tenantId, id))?.state).toBe('running');
});

it('fails a job whose every worker was lost', async () => {
  const { id } = await queue.enqueue({ tenantId, kind: 'cursed', payload: {}, maxAttempts: 1 });
  await take('cursed');
  await passTime(id);
  expect(await queue.lease('worker-2', ['cursed'])).toBeUndefined();
  expect(await queue.findById(tenantId, id)).toMatchObject({
    state: 'failed',
    error: { code: 'job.worker-lost' },
  });
});

it('gives a job back without counting the try', async () => {
  const { id } = await queue.enqueue({ tenantId, kind: 'release', payload: {} });
  await queue.release(await take('release'));
  expect(await queue.findById(tenantId, id)).toMatchObject({ state: 'queued', attempts: 0 });
  await queue.fail(await take('release'), { code: 'media.empty', title: 'empty' });
  expect(await queue.findById(tenantId, id)).toMatchObject({
    state: 'failed',
    error: { code: 'media.empty' },
  });
});

it('wakes a waiting worker', async () => {
  const client = await test.database.connect();
  await client.query(`LISTEN ${jobChannel}`);
  const woken = new Promise((resolve) =>
    client.once('notification', ({ payload }: { payload?: string }) => resolve(payload)),
  );
  await queue.enqueue({ tenantId, kind: 'wake', payload: {} });
  expect(await woken).toBe('wake');
  await client.end();
});

it('lists jobs newest first and counts what is open', async () => {
  const other = await new PgCatalogStore(test.database.pool).ensureTenant('list');
  const ids = [];
  for (let i = 0; i < 3; i++)
    ids.unshift((await queue.enqueue({ tenantId: other, kind: 'list', payload: {} })).id);
  const page = await queue.list(other, { limit: 2 });
  expect(page.length).toBe(2);
  const rest = await queue.list(other, { limit: 2, before: page.at(-1)!.id, state: 'queued' });
  expect([...page, ...rest].map((job) => job.id).sort()).toEqual([...ids].sort());
  expect((await queue.depth()).queued).toBeGreaterThanOrEqual(3);
});
