import {
  Body,
  Controller,
  Get,
  Header,
  HttpCode,
  Inject,
  Param,
  Post,
  Put,
  Query,
  Req,
} from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Track } from '@earmark/catalog';
import { parseId, type TenantId, type TrackId } from '@earmark/kernel';
import { RequestError } from '@earmark/platform';
import type { PgTagStore, StoredTagging } from '@earmark/storage';
import { applyVerdicts, type JamsDocument, type JudgedTag, ontologyV1, toJams } from '@earmark/tagging';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { ApiContext } from '../api-context.js';
import { Repeatable, Route } from '../http/answers.js';
import { fileForm } from '../http/file-form.js';
import { principalOf } from '../http/principal.js';
import { receiveForm, requiredFile } from '../http/received-file.js';
import { ontologyResource, taggingResource, tagsQuery, verdictInput } from './tag-resources.js';

/** What tracks and files are: genre, scene, instrument and mood on a time line. */
@ApiTags('tags')
@Controller('v1')
export class TagsController {
  private readonly store: PgTagStore;

  constructor(@Inject(ApiContext) private readonly context: ApiContext) {
    this.store = context.engine.tagging.store;
  }

  @Post('tag')
  @HttpCode(200)
  @ApiOperation({ summary: 'Tag a file without keeping it' })
  @ApiConsumes('multipart/form-data')
  @ApiBody(fileForm({}))
  @Route(
    'tags:read',
    [{ status: 200, description: 'What it is', schema: taggingResource }],
    [400, 413, 415, 422, 503],
  )
  async tagFile(@Req() request: FastifyRequest): Promise<z.output<typeof taggingResource>> {
    const form = await receiveForm(this.context, request, 'media', this.context.settings.maxClipBytes);
    const file = requiredFile(form);
    try {
      const { tenantId } = principalOf(request);
      const said = await this.context.engine.tagging.tagFile(tenantId, this.context.files.pathOf(file.id));
      return toTagging(said, said.tags, 0, true);
    } finally {
      await this.context.files.remove(file.id);
    }
  }

  @Get('tracks/:id/tags')
  @ApiOperation({ summary: 'Read the tags of a track, verdicts of people included' })
  @Route('tags:read', [{ status: 200, description: 'The tags', schema: taggingResource }], [404, 422])
  async read(
    @Param('id') id: string,
    @Query({ schema: tagsQuery }) query: z.output<typeof tagsQuery>,
    @Req() request: FastifyRequest,
  ): Promise<z.output<typeof taggingResource>> {
    const { said, tags } = await this.find(principalOf(request).tenantId, id);
    const wanted = tags.filter(({ facet }) => query.facet === undefined || facet === query.facet);
    return toTagging(said, wanted, query.minScore, query.level === 'segment', query.facet);
  }

  @Get('tracks/:id/tags.jams')
  @Header('content-type', 'application/json')
  @ApiOperation({ summary: 'Export the tags of a track as JAMS' })
  @Route('tags:read', [{ status: 200, description: 'A JAMS document' }], [404, 422])
  async jams(@Param('id') id: string, @Req() request: FastifyRequest): Promise<JamsDocument> {
    const { track, said, tags } = await this.find(principalOf(request).tenantId, id);
    const { title, artists } = track;
    return toJams(said, tags, {
      artists,
      ...(title !== undefined && { title }),
      identifiers: { earmark: track.id },
    });
  }

  @Put('tracks/:id/tags/:tag')
  @Repeatable()
  @ApiOperation({
    summary: 'Confirm or reject a tag, or take the verdict back',
    description: 'Kept apart from what the model says, and stronger.',
  })
  @Route(
    'catalog:write',
    [{ status: 200, description: 'The tags now', schema: taggingResource }],
    [400, 404, 422],
  )
  async judge(
    @Param('id') id: string,
    @Param('tag') tag: string,
    @Body({ schema: verdictInput }) { facet, verdict }: z.output<typeof verdictInput>,
    @Req() request: FastifyRequest,
  ): Promise<z.output<typeof taggingResource>> {
    const { tenantId, keyId } = principalOf(request);
    const trackId = parseId('track', id, 'path/id');
    if (!ontologyV1.has(facet, tag)) {
      const title = `there is no tag ${facet}/${tag}`;
      throw new RequestError('request.invalid', title, [
        { pointer: 'path/tag', code: 'tagging.unknown-tag', title },
      ]);
    }
    if (verdict === null) await this.store.unjudge(tenantId, trackId, facet, tag);
    else await this.store.judge(tenantId, trackId, { facet, tag, verdict, author: keyId });
    const { said, tags } = await this.find(tenantId, id);
    return toTagging(said, tags, 0, false);
  }

  @Get('ontology')
  @ApiOperation({ summary: 'Read the vocabulary of tags' })
  @Route('tags:read', [{ status: 200, description: 'The vocabulary', schema: ontologyResource }])
  ontology(): typeof ontologyV1.data {
    return ontologyV1.data;
  }

  private async find(
    tenantId: TenantId,
    id: string,
  ): Promise<{ track: Track; said: StoredTagging; tags: readonly JudgedTag[] }> {
    const trackId: TrackId = parseId('track', id, 'path/id');
    const track = await this.context.tracks.findById(tenantId, trackId);
    if (!track) throw new RequestError('catalog.track-not-found', `there is no track ${id}`);
    const said = await this.context.engine.tagging.tagsOf(tenantId, trackId);
    if (!said) throw new RequestError('tag.not-tagged', `the track ${id} has not been tagged`);
    return { track, said, tags: applyVerdicts(said.tags, await this.store.verdicts(tenantId, trackId)) };
  }
}

function toTagging(
  said: Pick<StoredTagging, 'durationMs' | 'model' | 'sentence' | 'shifts' | 'segments'>,
  tags: readonly JudgedTag[],
  minScore: number,
  withSegments: boolean,
  facet?: JudgedTag['facet'],
): z.output<typeof taggingResource> {
  const { durationMs, model, sentence, shifts, segments } = said;
  const wanted = <T extends Readonly<{ facet: JudgedTag['facet']; score: number }>>(
    list: readonly T[],
  ): T[] => list.filter((tag) => tag.score >= minScore && (facet === undefined || tag.facet === facet));
  return taggingResource.parse({
    durationMs,
    model,
    sentence,
    shifts,
    tags: wanted(tags),
    ...(withSegments && {
      segments: segments.map(({ startMs, endMs, tags: said }) => ({ startMs, endMs, tags: wanted(said) })),
    }),
  });
}
