import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Inject,
  Param,
  Post,
  Query,
  Req,
  Res,
} from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { parseId } from '@earmark/kernel';
import { RequestError } from '@earmark/platform';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { ApiContext } from '../api-context.js';
import { Route } from '../http/answers.js';
import { pageQuery, readCursor, toPage, type Page } from '../http/paging.js';
import { principalOf } from '../http/principal.js';
import { keyResource, madeKey, newKey, pageOf, toKey } from '../resources.js';

/** API keys; their secrets are shown once and kept nowhere. */
@ApiTags('admin')
@Controller('v1/keys')
export class KeysController {
  constructor(@Inject(ApiContext) private readonly context: ApiContext) {}

  @Post()
  @ApiOperation({
    summary: 'Make a key',
    description: 'Takes no Idempotency-Key: answers are kept, secrets are not.',
  })
  @Route('admin', [{ status: 201, description: 'Made', schema: madeKey, headers: ['Location'] }], [400, 422])
  async create(
    @Body({ schema: newKey }) body: z.output<typeof newKey>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const { tenantId } = principalOf(request);
    const { key, secret } = await this.context.keys.create({ tenantId, ...body });
    void reply.header('location', `/v1/keys/${key.id}`).header('cache-control', 'no-store');
    return { ...toKey(key), secret };
  }

  @Get()
  @ApiOperation({ summary: 'List keys, oldest first' })
  @Route(
    'admin',
    [{ status: 200, description: 'A page', schema: pageOf(keyResource), headers: ['Link'] }],
    [422],
  )
  async list(
    @Query({ schema: pageQuery }) query: z.output<typeof pageQuery>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Page<unknown>> {
    const after = readCursor('key', query.cursor);
    const page = { limit: query.limit + 1, ...(after && { after }) };
    const keys = await this.context.keys.list(principalOf(request).tenantId, page);
    return toPage(request, reply, keys, query.limit, toKey);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ summary: 'Revoke a key for good' })
  @Route('admin', [{ status: 204, description: 'Revoked' }], [404, 409, 422])
  async revoke(@Param('id') id: string, @Req() request: FastifyRequest): Promise<void> {
    const principal = principalOf(request);
    const keyId = parseId('key', id, 'path/id');
    if (keyId === principal.keyId)
      throw new RequestError('key.last-admin', 'use another key to revoke this one');
    if (!(await this.context.keys.revoke(principal.tenantId, keyId))) {
      throw new RequestError('key.not-found', `there is no key ${id}`);
    }
    this.context.knownKeys.forget();
  }
}
