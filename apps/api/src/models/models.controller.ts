import { Controller, Get, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { ModelOverview } from '@earmark/engine';
import type { TenantId } from '@earmark/kernel';
import { RequestError } from '@earmark/platform';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { ApiContext } from '../api-context.js';
import { Route } from '../http/answers.js';
import { principalOf } from '../http/principal.js';
import { modelsResource, modelVersionResource, modelVersionsResource } from './model-resources.js';

/** The models that say tags: which there are, which one speaks. */
@ApiTags('models')
@Controller('v1/models')
export class ModelsController {
  constructor(@Inject(ApiContext) private readonly context: ApiContext) {}

  @Get()
  @ApiOperation({ summary: 'List models at hand and in use, and folders that hold no usable one' })
  @Route(['tags:read', 'models:train'], [{ status: 200, description: 'All', schema: modelsResource }])
  async list(@Req() request: FastifyRequest): Promise<z.output<typeof modelsResource>> {
    const { versions, problems } = await this.overview(request);
    return {
      data: [...versions],
      problems: problems.map(({ code, message }) => ({ code, title: message })),
    };
  }

  @Get(':id/versions')
  @ApiOperation({ summary: 'List the versions of a model, newest first' })
  @Route(
    ['tags:read', 'models:train'],
    [{ status: 200, description: 'The versions', schema: modelVersionsResource }],
    [404],
  )
  async versions(
    @Param('id') id: string,
    @Req() request: FastifyRequest,
  ): Promise<z.output<typeof modelVersionsResource>> {
    const { versions } = await this.overview(request);
    const data = versions.filter((version) => version.id === id);
    if (data.length === 0) throw new RequestError('model.not-known', `there is no model ${id.slice(0, 80)}`);
    return { data };
  }

  @Post(':id/versions/:versionAndAction')
  @HttpCode(200)
  @ApiParam({ name: 'versionAndAction', description: 'The version and `:promote`' })
  @ApiOperation({
    summary: 'Make a version the one that speaks',
    description:
      'Its tags are shown and new recordings get it. Tracks that it has not heard keep what was said of them; `POST /v1/retags` tags them.',
  })
  @Route(
    'models:train',
    [{ status: 200, description: 'The version', schema: modelVersionResource }],
    [404, 422],
  )
  async promote(
    @Param('id') id: string,
    @Param('versionAndAction') versionAndAction: string,
    @Req() request: FastifyRequest,
  ): Promise<z.output<typeof modelVersionResource>> {
    const version = /^(.+):promote$/.exec(versionAndAction)?.[1];
    if (version === undefined)
      throw new RequestError('request.not-found', 'the only action of a version is :promote');
    const { tenantId } = principalOf(request);
    const known = (await this.overview(request)).versions;
    if (!known.some((one) => one.id === id && one.version === version))
      throw new RequestError('model.not-known', `there is no ${id.slice(0, 80)}@${version.slice(0, 40)}`);
    await this.context.engine.tagging.promote(tenantId, { id, version });
    return this.active(tenantId);
  }

  @Post(':id/versions::rollback')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Go back to the version that spoke before',
    description: 'The tags of both are kept, so that this takes effect at once.',
  })
  @Route(
    'models:train',
    [{ status: 200, description: 'The version that speaks now', schema: modelVersionResource }],
    [404, 409],
  )
  async rollback(
    @Param('id') id: string,
    @Req() request: FastifyRequest,
  ): Promise<z.output<typeof modelVersionResource>> {
    const { tenantId } = principalOf(request);
    const { tagging } = this.context.engine;
    const now = await tagging.versions.active(tenantId);
    if (now?.id !== id)
      throw new RequestError('model.not-known', `${id.slice(0, 80)} is not the model that speaks`);
    if ((await tagging.rollback(tenantId)) === undefined)
      throw new RequestError('model.no-earlier', 'no other version spoke before this one');
    return this.active(tenantId);
  }

  private overview(request: FastifyRequest): Promise<ModelOverview> {
    return this.context.engine.tagging.models(principalOf(request).tenantId);
  }

  private async active(tenantId: TenantId): Promise<z.output<typeof modelVersionResource>> {
    const { versions } = await this.context.engine.tagging.models(tenantId);
    return modelVersionResource.parse(versions.find(({ state }) => state === 'active'));
  }
}
