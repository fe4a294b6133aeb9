import { Controller, Get, Inject, Post, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { EngineStats } from '@earmark/monitoring';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { ApiContext } from '../api-context.js';
import { MayWait, Repeatable, Route } from '../http/answers.js';
import { answerWithJob } from '../http/job-answer.js';
import { principalOf } from '../http/principal.js';
import { jobResource, toJob } from '../resources.js';

const statsResource = z
  .object({
    tracks: z.number().int(),
    durationMs: z.number().int(),
    index: z.object({ tracks: z.number().int(), landmarks: z.number().int(), bytes: z.number().int() }),
  })
  .meta({ id: 'Stats' });

/** The fingerprint index as a whole. */
@ApiTags('admin')
@Controller('v1')
export class IndexController {
  constructor(@Inject(ApiContext) private readonly context: ApiContext) {}

  @Post('index::rebuild')
  @Repeatable()
  @MayWait()
  @ApiOperation({ summary: 'Derive the whole index again from the stored peaks' })
  @Route(
    'admin',
    [
      { status: 200, description: 'Done within the time that the request waits', schema: jobResource },
      { status: 202, description: 'Queued', schema: jobResource, headers: ['Location'] },
    ],
    [503],
  )
  async rebuild(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const { tenantId } = principalOf(request);
    const job = await this.context.queue.enqueue({ tenantId, kind: 'rebuild-index', payload: {} });
    await answerWithJob(this.context, request, reply, job, (done) =>
      Promise.resolve({
        status: 200,
        location: `/v1/jobs/${job.id}`,
        body: toJob(done),
      }),
    );
  }

  @Get('stats')
  @ApiOperation({ summary: 'Count what is stored' })
  @Route('catalog:read', [{ status: 200, description: 'Sizes', schema: statsResource }])
  stats(@Req() request: FastifyRequest): Promise<EngineStats> {
    return this.context.engine.stats(principalOf(request).tenantId);
  }
}
