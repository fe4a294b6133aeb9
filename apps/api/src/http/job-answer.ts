import { statusOf } from '@earmark/platform';
import type { Job } from '@earmark/storage';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { JobFailedError, type ApiContext } from '../api-context.js';
import { toJob } from '../resources.js';

/** Longest time that a request may wait for its job, in seconds. */
const maxWaitSeconds = 60;

/** Seconds of `Prefer: wait=N`; 0 if the request does not want to wait. */
export function waitSecondsOf(request: FastifyRequest): number {
  const { prefer } = request.headers;
  const text = Array.isArray(prefer) ? prefer.join(',') : (prefer ?? '');
  const seconds = /(?:^|[\s,;])wait\s*=\s*(\d{1,6})/i.exec(text)?.[1];
  return seconds === undefined ? 0 : Math.min(maxWaitSeconds, Number(seconds));
}

/**
 * The job as it is when it has ended, or when the request waits no longer.
 *
 * @throws {JobFailedError} with the job's own code if it ended badly while the request waited
 */
export async function jobOutcome(
  context: ApiContext,
  request: FastifyRequest,
  reply: FastifyReply,
  job: Job,
): Promise<Job> {
  const seconds = waitSecondsOf(request);
  const now = seconds > 0 ? ((await context.endings.wait(job.tenantId, job.id, seconds * 1000)) ?? job) : job;
  if (seconds > 0) void reply.header('preference-applied', `wait=${seconds}`);
  if (now.state === 'failed' || now.state === 'cancelled') {
    const { code, title } = now.error ?? { code: 'job.cancelled', title: 'the job was cancelled' };
    throw new JobFailedError(statusOf(code) === 500 ? 'internal' : code, title);
  }
  return now;
}

/**
 * Answers a request whose work is a job: `202` with the job, or, if the request waits and the job ends in time, what
 * `onDone` makes of it.
 *
 * @throws {JobFailedError} with the job's own code if it ended badly while the request waited
 */
export async function answerWithJob(
  context: ApiContext,
  request: FastifyRequest,
  reply: FastifyReply,
  job: Job,
  onDone: (job: Job) => Promise<Readonly<{ status: number; location: string; body: unknown }>>,
): Promise<void> {
  const now = await jobOutcome(context, request, reply, job);
  if (now.state === 'done') {
    const { status, location, body } = await onDone(now);
    await reply.code(status).header('location', location).send(body);
    return;
  }
  await reply.code(202).header('location', `/v1/jobs/${job.id}`).send(toJob(now));
}
