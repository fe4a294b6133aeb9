import { Controller, HttpCode, Inject, Post, Req } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { ListenResult } from '@earmark/monitoring';
import type { FastifyRequest } from 'fastify';
import { ApiContext } from '../api-context.js';
import { Route } from '../http/answers.js';
import { fileForm } from '../http/file-form.js';
import { principalOf } from '../http/principal.js';
import { receiveForm, requiredFile } from '../http/received-file.js';
import { identification } from '../resources.js';

/** Short clips, looked up while the sender waits. */
@ApiTags('identify')
@Controller('v1/identify')
export class IdentifyController {
  constructor(@Inject(ApiContext) private readonly context: ApiContext) {}

  @Post()
  @HttpCode(200)
  @ApiOperation({
    summary: 'Say what a clip of at most 60 s is',
    description: 'The whole file is one query.',
  })
  @ApiConsumes('multipart/form-data')
  @ApiBody(fileForm({ catalog: { type: 'string', description: 'Names separated by commas; default all' } }))
  @Route(
    'identify',
    [{ status: 200, description: 'What was found', schema: identification }],
    [400, 413, 415, 422, 503],
  )
  async identify(@Req() request: FastifyRequest): Promise<ListenResult> {
    const { tenantId } = principalOf(request);
    const form = await receiveForm(this.context, request, 'media', this.context.settings.maxClipBytes);
    const file = requiredFile(form);
    const gone = new AbortController();
    const onClose = (): void => {
      if (request.raw.destroyed && !request.raw.complete) gone.abort();
    };
    request.raw.socket.once('close', onClose);
    try {
      const catalogIds = await this.context.catalogsToRead(tenantId, form.fields['catalog']);
      return await this.context.engine.identifyFile({
        tenantId,
        catalogIds,
        path: this.context.files.pathOf(file.id),
        signal: gone.signal,
      });
    } finally {
      request.raw.socket.off('close', onClose);
      await this.context.files.remove(file.id);
    }
  }
}
