import { Controller, Get, HttpCode, Inject, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { parseId, type JobId, type TenantId } from '@earmark/kernel';
import { discardUpload, RequestError, type ScanJobPayload } from '@earmark/platform';
import type { Job } from '@earmark/storage';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { ApiContext } from '../api-context.js';
import { MayWait, Route } from '../http/answers.js';
import { waitSecondsOf } from '../http/job-answer.js';
import { pageQuery, readCursor, toPage, type Page } from '../http/paging.js';
import { principalOf, type Scope } from '../http/principal.js';
import { jobResource, pageOf, toJob } from '../resources.js';

const listQuery = pageQuery.extend({
  state: z.enum(['queued', 'running', 'done', 'failed', 'cancelled']).optional(),
});

/** Who may queue jobs, and so cancel them. */
const senders: readonly Scope[] = ['catalog:write', 'scan', 'models:train', 'transitions:read'];
const readers: readonly Scope[] = [...senders, 'catalog:read'];

/** Long work and how far it is. */
@ApiTags('jobs')
@Controller('v1/jobs')
export class JobsController {
  constructor(@Inject(ApiContext) private readonly context: ApiContext) {}

  @Get()
  @ApiOperation({ summary: 'List jobs, newest first' })
  @Route(
    readers,
    [{ status: 200, description: 'A page', schema: pageOf(jobResource), headers: ['Link'] }],
    [422],
  )
  async list(
    @Query({ schema: listQuery }) query: z.output<typeof listQuery>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Page<unknown>> {
    const before = readCursor('job', query.cursor);
    const jobs = await this.context.queue.list(principalOf(request).tenantId, {
      limit: query.limit + 1,
      ...(before && { before }),
      ...(query.state && { state: query.state }),
    });
    return toPage(request, reply, jobs, query.limit, toJob);
  }

  @Get(':id')
  @MayWait()
  @ApiOperation({ summary: 'Read a job' })
  @Route(readers, [{ status: 200, description: 'The job', schema: jobResource }], [404, 422])
  async read(@Param('id') id: string, @Req() request: FastifyRequest): Promise<unknown> {
    const { tenantId } = principalOf(request);
    const jobId = parseId('job', id, 'path/id');
    const job = await this.context.endings.wait(tenantId, jobId, waitSecondsOf(request) * 1000);
    return toJob(present(job, jobId));
  }

  @Post(':idAndAction')
  @HttpCode(200)
  @ApiParam({ name: 'idAndAction', description: 'The id and `:cancel`' })
  @ApiOperation({
    summary: 'Cancel a job',
    description: 'One that waits ends at once, one that runs soon after, one that has ended stays as it is.',
  })
  @Route(senders, [{ status: 200, description: 'The job', schema: jobResource }], [404, 422])
  async cancel(@Param('idAndAction') idAndAction: string, @Req() request: FastifyRequest): Promise<unknown> {
    const id = /^(.+):cancel$/.exec(idAndAction)?.[1];
    if (id === undefined) throw new RequestError('request.not-found', 'the only action of a job is :cancel');
    const { tenantId } = principalOf(request);
    const jobId = parseId('job', id, 'path/id');
    const before = present(await this.context.queue.findById(tenantId, jobId), jobId);
    const job = present(await this.context.queue.cancel(tenantId, jobId), jobId);
    if (before.state === 'queued' && job.state === 'cancelled') await this.clearUp(tenantId, job);
    return toJob(job);
  }

  /** Does for a job that never ran what its worker would have done at its end. */
  private async clearUp(tenantId: TenantId, job: Job): Promise<void> {
    await discardUpload(this.context, job);
    if (job.kind !== 'scan') return;
    await this.context.scans.setState(tenantId, (job.payload as ScanJobPayload).scanId, 'cancelled');
  }
}

function present(job: Job | undefined, id: JobId): Job {
  if (!job) throw new RequestError('job.not-found', `there is no job ${id}`);
  return job;
}
