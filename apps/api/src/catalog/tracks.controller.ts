import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Inject,
  Param,
  Patch,
  Post,
  Put,
  Query,
  Req,
  Res,
} from '@nestjs/common';
import { ApiConsumes, ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import { normaliseIsrc, readRef, type Track, type TrackMetadata } from '@earmark/catalog';
import { parseId, type TenantId, type TrackId, type UploadId } from '@earmark/kernel';
import { RequestError, upsertTrack, type IngestJobPayload } from '@earmark/platform';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { ApiContext } from '../api-context.js';
import { MayWait, Repeatable, Route } from '../http/answers.js';
import { answerWithJob } from '../http/job-answer.js';
import { pageQuery, readCursor, toPage, type Page } from '../http/paging.js';
import { principalOf } from '../http/principal.js';
import { receiveForm, requiredFile } from '../http/received-file.js';
import { parseWith } from '../http/schema-pipe.js';
import {
  ingestedTrack,
  jobResource,
  newTrack,
  pageOf,
  toTrack,
  trackInput,
  trackPatch,
  trackResource,
} from '../resources.js';
import { keepFile, takeUpload, type WaitingFile } from '../uploads/waiting-file.js';
import { metadataField, readFlag, readJsonField, readTrackInput, readTrackPatch } from './track-input.js';

const listQuery = pageQuery.extend({
  catalog: z.string().max(1000).optional().meta({ description: 'Names separated by commas; default all' }),
  status: z.enum(['pending', 'ready', 'failed']).optional(),
  isrc: z.string().max(20).optional(),
});

const upsertInput = trackInput
  .extend({ catalog: z.string().min(1).max(100).optional() })
  .meta({ id: 'TrackUpsert' });

/** Recordings and their descriptions. */
@ApiTags('catalog')
@Controller('v1/tracks')
export class TracksController {
  constructor(@Inject(ApiContext) private readonly context: ApiContext) {}

  @Post()
  @Repeatable()
  @MayWait()
  @ApiOperation({
    summary: 'Add a track',
    description:
      'JSON without `uploadId` adds a description only. JSON with `uploadId`, or multipart with the fields `file`, ' +
      '`metadata` (JSON of TrackInput), `catalog` and `allowDuplicates`, queues the audio for ingest.',
  })
  @ApiConsumes('application/json', 'multipart/form-data')
  @Route(
    'catalog:write',
    [
      { status: 200, description: 'It was there already', schema: ingestedTrack, headers: ['Location'] },
      { status: 201, description: 'Added', schema: ingestedTrack, headers: ['Location', 'ETag'] },
      { status: 202, description: 'The audio is queued', schema: jobResource, headers: ['Location'] },
    ],
    [400, 404, 409, 413, 415, 422],
  )
  async create(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const { tenantId } = principalOf(request);
    if (request.isMultipart()) {
      const form = await receiveForm(this.context, request, 'media', this.context.settings.maxUploadBytes);
      const received = requiredFile(form);
      await keepFile(this.context, tenantId, received, async (file) => {
        const { metadata, catalog, allowDuplicates } = form.fields;
        const input = metadata === undefined ? {} : readJsonField(metadataField, 'metadata', metadata);
        await this.ingest(request, reply, file, {
          metadata: readTrackInput(input),
          catalog:
            catalog === undefined ? undefined : parseWith(z.string().min(1).max(100), catalog, 'catalog'),
          allowDuplicates: readFlag('allowDuplicates', allowDuplicates),
        });
      });
      return;
    }
    const { catalog, uploadId, allowDuplicates = false, ...input } = parseWith(newTrack, request.body);
    const metadata = readTrackInput(input);
    if (uploadId !== undefined) {
      const file = await takeUpload(this.context, tenantId, parseId('upload', uploadId, '/uploadId'));
      await this.ingest(request, reply, file, { metadata, catalog, allowDuplicates });
      return;
    }
    const { id: catalogId } = await this.context.catalogToWrite(tenantId, catalog);
    const track = await this.context.tracks.create({ tenantId, catalogId, metadata });
    await reply
      .code(201)
      .header('location', `/v1/tracks/${track.id}`)
      .header('etag', etagOf(track))
      .send(toTrack(track));
  }

  @Get()
  @ApiOperation({ summary: 'List tracks, oldest first' })
  @Route(
    'catalog:read',
    [{ status: 200, description: 'A page', schema: pageOf(trackResource), headers: ['Link'] }],
    [422],
  )
  async list(
    @Query({ schema: listQuery }) query: z.output<typeof listQuery>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Page<unknown>> {
    const { tenantId } = principalOf(request);
    const after = readCursor('track', query.cursor);
    const catalogIds = await this.context.catalogsToRead(tenantId, query.catalog);
    const tracks = await this.context.tracks.list(
      tenantId,
      {
        ...(catalogIds.length > 0 && { catalogIds }),
        ...(query.status && { status: query.status }),
        ...(query.isrc !== undefined && { isrc: normaliseIsrc(query.isrc, 'query/isrc') }),
      },
      { limit: query.limit + 1, ...(after && { after }) },
    );
    return toPage(request, reply, tracks, query.limit, toTrack);
  }

  @Get(':id')
  @ApiOperation({ summary: 'Read a track' })
  @Route(
    'catalog:read',
    [{ status: 200, description: 'The track', schema: trackResource, headers: ['ETag'] }],
    [404, 422],
  )
  async read(
    @Param('id') id: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const track = await this.find(principalOf(request).tenantId, id);
    void reply.header('etag', etagOf(track));
    return toTrack(track);
  }

  @Patch(':id')
  @Repeatable()
  @ApiOperation({ summary: 'Edit a description' })
  @ApiHeader({ name: 'If-Match', required: false, description: 'ETag of the version to edit' })
  @Route(
    'catalog:write',
    [{ status: 200, description: 'Edited', schema: trackResource, headers: ['ETag'] }],
    [400, 404, 409, 412, 422],
  )
  async edit(
    @Param('id') id: string,
    @Body({ schema: trackPatch }) patch: z.output<typeof trackPatch>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const { tenantId } = principalOf(request);
    const trackId = parseId('track', id, 'path/id');
    const version = readIfMatch(request.headers['if-match']);
    const track = await this.context.tracks.update(tenantId, trackId, readTrackPatch(patch), version);
    if (!track) throw notFound(id);
    void reply.header('etag', etagOf(track));
    return toTrack(track);
  }

  @Put('by-ref/:namespace/:value')
  @Repeatable()
  @ApiOperation({
    summary: 'Add or replace the description of the track with a reference',
    description: 'The namespace `isrc` finds a track by its ISRC.',
  })
  @Route(
    'catalog:write',
    [
      { status: 200, description: 'Replaced', schema: trackResource, headers: ['ETag'] },
      { status: 201, description: 'Added', schema: trackResource, headers: ['Location', 'ETag'] },
    ],
    [400, 409, 422],
  )
  async upsert(
    @Param('namespace') namespace: string,
    @Param('value') value: string,
    @Body({ schema: upsertInput }) body: z.output<typeof upsertInput>,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { tenantId } = principalOf(request);
    const ref = readRef({ namespace, value }, 'path');
    const { catalog, ...input } = body;
    const given = readTrackInput(input);
    const metadata: TrackMetadata = {
      ...given,
      ...(namespace === 'isrc' && { isrc: ref.value }),
      refs: [ref, ...given.refs.filter((one) => one.namespace !== namespace || one.value !== ref.value)],
    };
    const { id: catalogId } = await this.context.catalogToWrite(tenantId, catalog);
    const { track, isCreated } = await upsertTrack(this.context.tracks, tenantId, catalogId, metadata);
    await reply
      .code(isCreated ? 201 : 200)
      .header('location', `/v1/tracks/${track.id}`)
      .header('etag', etagOf(track))
      .send(toTrack(track));
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ summary: 'Remove a track; it is not found any more when this returns' })
  @Route('catalog:write', [{ status: 204, description: 'Removed' }], [404, 422, 503])
  async remove(@Param('id') id: string, @Req() request: FastifyRequest): Promise<void> {
    const trackId = parseId('track', id, 'path/id');
    const isRemoved = await this.context.engine.deleteTrack(principalOf(request).tenantId, trackId);
    if (!isRemoved) throw notFound(id);
  }

  private async ingest(
    request: FastifyRequest,
    reply: FastifyReply,
    file: WaitingFile,
    wanted: Readonly<{ metadata: TrackMetadata; catalog: string | undefined; allowDuplicates: boolean }>,
  ): Promise<void> {
    const { tenantId } = principalOf(request);
    const { id: catalogId } = await this.context.catalogToWrite(tenantId, wanted.catalog);
    const payload: IngestJobPayload = {
      uploadId: file.id satisfies UploadId,
      fileName: file.fileName,
      metadata: wanted.metadata,
      allowDuplicates: wanted.allowDuplicates,
    };
    const job = await this.context.queue.enqueue({ tenantId, catalogId, kind: 'ingest', payload });
    await answerWithJob(this.context, request, reply, job, async ({ result }) => {
      const { trackId, status } = result as Readonly<{ trackId: TrackId; status: 'ready' | 'duplicate' }>;
      const track = await this.find(tenantId, trackId);
      const isNew = status === 'ready' && track.createdAtMs >= job.createdAtMs;
      return {
        status: isNew ? 201 : 200,
        location: `/v1/tracks/${trackId}`,
        body: { ...toTrack(track), duplicate: status === 'duplicate' },
      };
    });
  }

  private async find(tenantId: TenantId, id: string): Promise<Track> {
    const track = await this.context.tracks.findById(tenantId, parseId('track', id, 'path/id'));
    if (!track) throw notFound(id);
    return track;
  }
}

function notFound(id: string): RequestError {
  return new RequestError('catalog.track-not-found', `there is no track ${id}`);
}

function etagOf(track: Track): string {
  return `"${track.version}"`;
}

/** Version that an `If-Match` header asks for; absent for `*` and for no header. */
function readIfMatch(header: string | undefined): number | undefined {
  if (header === undefined || header.trim() === '*') return undefined;
  const version = /^"(\d{1,9})"$/.exec(header.trim())?.[1];
  // A tag that is none of ours cannot match.
  return version === undefined ? -1 : Number(version);
}
