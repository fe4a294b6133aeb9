import { Body, Controller, Get, Inject, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { RetagReport } from '@earmark/engine';
import { parseId, type TenantId } from '@earmark/kernel';
import { RequestError } from '@earmark/platform';
import type { Job, RetagChange } from '@earmark/storage';
import type { RetagJobPayload } from '@earmark/worker';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { ApiContext } from '../api-context.js';
import { MayWait, Repeatable, Route } from '../http/answers.js';
import { answerWithJob } from '../http/job-answer.js';
import { readCursor, toPage, type Page } from '../http/paging.js';
import { principalOf } from '../http/principal.js';
import { jobResource, pageOf } from '../resources.js';
import { changesQuery, retagChangeResource, retagInput, retagResource } from './model-resources.js';

/** Tagging everything again with another model. */
@ApiTags('models')
@Controller('v1/retags')
export class RetagsController {
  constructor(@Inject(ApiContext) private readonly context: ApiContext) {}

  @Post()
  @Repeatable()
  @MayWait()
  @ApiOperation({
    summary: 'Tag every track with another model, or only compare',
    description:
      'At its end the model is the one that speaks; `dryRun` stores nothing but the changes. A model with the network of an earlier one needs no audio.',
  })
  @Route(
    'models:train',
    [
      { status: 200, description: 'Done within the time that the request waits', schema: retagResource },
      { status: 202, description: 'Queued', schema: jobResource, headers: ['Location'] },
    ],
    [404, 422],
  )
  async start(
    @Body({ schema: retagInput }) input: z.output<typeof retagInput>,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { tenantId } = principalOf(request);
    const { model, dryRun } = input;
    const catalogIds = await this.context.catalogsToRead(tenantId, input.catalog);
    if (model !== undefined) this.context.engine.tagging.assertKnown(model);
    const payload: RetagJobPayload = { dryRun, catalogIds, ...(model !== undefined && { model }) };
    const job = await this.context.queue.enqueue({ tenantId, kind: 'retag', payload });
    await answerWithJob(this.context, request, reply, job, (done) =>
      Promise.resolve({ status: 200, location: `/v1/retags/${job.id}`, body: toRetag(done) }),
    );
  }

  @Get(':id')
  @ApiOperation({ summary: 'Read a re-tagging; its id is that of its job' })
  @Route('models:train', [{ status: 200, description: 'The re-tagging', schema: retagResource }], [404, 422])
  async read(
    @Param('id') id: string,
    @Req() request: FastifyRequest,
  ): Promise<z.output<typeof retagResource>> {
    return toRetag(await this.find(principalOf(request).tenantId, id));
  }

  @Get(':id/changes')
  @ApiOperation({ summary: 'List tracks whose tags change, or that could not be tagged' })
  @Route(
    'models:train',
    [{ status: 200, description: 'A page', schema: pageOf(retagChangeResource), headers: ['Link'] }],
    [404, 422],
  )
  async changes(
    @Param('id') id: string,
    @Query({ schema: changesQuery }) query: z.output<typeof changesQuery>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Page<RetagChange>> {
    const { tenantId } = principalOf(request);
    const job = await this.find(tenantId, id);
    const after = readCursor('track', query.cursor);
    const changes = await this.context.engine.tagging.store.changes(tenantId, job.id, {
      limit: query.limit + 1,
      ...(after && { after }),
    });
    const entries = changes.map((change) => ({ id: change.trackId, change }));
    return toPage(request, reply, entries, query.limit, ({ change }) => change);
  }

  private async find(tenantId: TenantId, id: string): Promise<Job> {
    const job = await this.context.queue.findById(tenantId, parseId('job', id, 'path/id'));
    if (job?.kind !== 'retag') throw new RequestError('retag.not-found', `there is no re-tagging ${id}`);
    return job;
  }
}

function toRetag(job: Job): z.output<typeof retagResource> {
  const { id, state, done, total, result, error } = job;
  const { dryRun } = job.payload as RetagJobPayload;
  return {
    id,
    state,
    dryRun,
    done,
    total,
    ...(result !== undefined && { report: result as RetagReport }),
    ...(error && { error }),
  };
}
