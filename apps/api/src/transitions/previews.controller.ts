import { Body, Controller, Get, Inject, Param, Post, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { PreviewFormat } from '@earmark/engine';
import { parseId, type TenantId } from '@earmark/kernel';
import { RequestError } from '@earmark/platform';
import type { PreviewJobPayload } from '@earmark/worker';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { z } from 'zod';
import { ApiContext } from '../api-context.js';
import { MayWait, Repeatable, Route } from '../http/answers.js';
import { jobOutcome } from '../http/job-answer.js';
import { principalOf } from '../http/principal.js';
import { jobResource, toJob } from '../resources.js';
import { previewInput } from './transition-resources.js';
import { fromOf, given } from './transitions.controller.js';

const mimeTypes = { wav: 'audio/wav', opus: 'audio/ogg; codecs=opus' } as const;

/** Rendered transitions. */
@ApiTags('transitions')
@Controller('v1')
export class PreviewsController {
  constructor(@Inject(ApiContext) private readonly context: ApiContext) {}

  @Post('transitions::preview')
  @Repeatable()
  @MayWait()
  @ApiOperation({
    summary: 'Render the mix of two tracks',
    description:
      'Answers with the audio if it is there (or ready within the time that the request waits), else with the job; `Content-Location` names the audio. With `Idempotency-Key` the answer is a redirect to it.',
  })
  @Route(
    'transitions:read',
    [
      { status: 200, description: 'The audio', headers: ['Content-Location'] },
      { status: 202, description: 'Queued', schema: jobResource, headers: ['Location', 'Content-Location'] },
      { status: 303, description: 'The audio is at `Location`', headers: ['Location'] },
    ],
    [404, 409, 415, 422],
  )
  async render(
    @Body({ schema: previewInput }) input: z.output<typeof previewInput>,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { tenantId } = principalOf(request);
    const { format } = input;
    const from = fromOf(input.from, '/from');
    const to = { trackId: parseId('track', input.to, '/to') };
    for (const { trackId } of [from, to]) {
      const known = await this.context.tracks.findById(tenantId, trackId);
      if (known === undefined)
        throw new RequestError('catalog.track-not-found', `there is no track ${trackId}`);
    }
    const { previews } = this.context.engine.transitions;
    const constraints = given(input.constraints ?? {});
    const { key, task } = await previews.plan({ tenantId, from, to, constraints, format });
    const url = `/v1/previews/${key}.${format}`;
    void reply.header('content-location', url);
    if ((await previews.kept(tenantId, key, format)) === undefined) {
      const payload: PreviewJobPayload = { key, task };
      const queued = await this.context.queue.enqueue({ tenantId, kind: 'preview', payload });
      const job = await jobOutcome(this.context, request, reply, queued);
      if (job.state !== 'done') {
        await reply.code(202).header('location', `/v1/jobs/${job.id}`).send(toJob(job));
        return;
      }
    }
    if (request.idempotencyKey !== undefined) {
      await reply.code(303).header('location', url).send();
      return;
    }
    await this.send(tenantId, key, format, reply);
  }

  @Get('previews/:name')
  @ApiOperation({ summary: 'Read a rendered mix' })
  @Route('transitions:read', [{ status: 200, description: 'The audio' }], [404])
  async read(
    @Param('name') name: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const [, key, format] = /^([0-9a-f]{64})\.(wav|opus)$/.exec(name) ?? [];
    if (key === undefined || (format !== 'wav' && format !== 'opus')) throw noPreview();
    await this.send(principalOf(request).tenantId, key, format, reply);
  }

  private async send(
    tenantId: TenantId,
    key: string,
    format: PreviewFormat,
    reply: FastifyReply,
  ): Promise<void> {
    const path = await this.context.engine.transitions.previews.kept(tenantId, key, format);
    if (path === undefined) throw noPreview();
    const { size } = await stat(path);
    await reply
      .code(200)
      .header('content-type', mimeTypes[format])
      .header('content-length', size)
      .header('cache-control', 'private, max-age=86400')
      .send(createReadStream(path));
  }
}

function noPreview(): RequestError {
  return new RequestError('transition.preview-not-found', 'this mix was not rendered, or is kept no longer');
}
