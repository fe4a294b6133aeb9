import { Controller, Get, Inject, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiConsumes, ApiOperation, ApiTags } from '@nestjs/swagger';
import { isId, parseId, type ScanId, type TenantId } from '@earmark/kernel';
import type { Scan } from '@earmark/monitoring';
import { RequestError, type ScanJobPayload } from '@earmark/platform';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { ApiContext } from '../api-context.js';
import { MayWait, Repeatable, Route } from '../http/answers.js';
import { answerWithJob } from '../http/job-answer.js';
import { pageQuery, readCursor, toPage, type Page } from '../http/paging.js';
import { principalOf } from '../http/principal.js';
import { receiveForm, requiredFile } from '../http/received-file.js';
import { parseWith } from '../http/schema-pipe.js';
import { jobResource, matchResource, newScan, pageOf, scanResource, toMatch, toScan } from '../resources.js';
import { keepFile, takeUpload, type WaitingFile } from '../uploads/waiting-file.js';

/** Long audio and video, searched for every track of the catalogs. */
@ApiTags('scans')
@Controller('v1/scans')
export class ScansController {
  constructor(@Inject(ApiContext) private readonly context: ApiContext) {}

  @Post()
  @Repeatable()
  @MayWait()
  @ApiOperation({
    summary: 'Scan a file of at most 12 h',
    description: 'JSON with `uploadId`, or multipart with the fields `file` and `catalog`.',
  })
  @ApiConsumes('application/json', 'multipart/form-data')
  @Route(
    'scan',
    [
      { status: 200, description: 'Done within the time that the request waits', schema: scanResource },
      { status: 202, description: 'Queued', schema: jobResource, headers: ['Location'] },
    ],
    [400, 404, 409, 413, 415, 422],
  )
  async create(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const { tenantId } = principalOf(request);
    if (request.isMultipart()) {
      const form = await receiveForm(this.context, request, 'media', this.context.settings.maxUploadBytes);
      await keepFile(this.context, tenantId, requiredFile(form), (file) =>
        this.queue(request, reply, file, form.fields['catalog']),
      );
      return;
    }
    const { uploadId, catalog } = parseWith(newScan, request.body);
    const file = await takeUpload(this.context, tenantId, parseId('upload', uploadId, '/uploadId'));
    await this.queue(request, reply, file, catalog);
  }

  @Get()
  @ApiOperation({ summary: 'List scans, newest first' })
  @Route(
    'scan',
    [{ status: 200, description: 'A page', schema: pageOf(scanResource), headers: ['Link'] }],
    [422],
  )
  async list(
    @Query({ schema: pageQuery }) query: z.output<typeof pageQuery>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Page<unknown>> {
    const before = readCursor('scan', query.cursor);
    const { tenantId } = principalOf(request);
    const scans = await this.context.scans.list(tenantId, {
      limit: query.limit + 1,
      ...(before && { before }),
    });
    return toPage(request, reply, scans, query.limit, toScan);
  }

  @Get(':id')
  @ApiOperation({ summary: 'Read a scan' })
  @Route('scan', [{ status: 200, description: 'The scan', schema: scanResource }], [404, 422])
  async read(@Param('id') id: string, @Req() request: FastifyRequest): Promise<unknown> {
    return toScan(await this.find(principalOf(request).tenantId, parseId('scan', id, 'path/id')));
  }

  @Get(':id/matches')
  @ApiOperation({ summary: 'List what a scan found, in time order' })
  @Route(
    'scan',
    [{ status: 200, description: 'A page', schema: pageOf(matchResource), headers: ['Link'] }],
    [404, 422],
  )
  async matches(
    @Param('id') id: string,
    @Query({ schema: pageQuery }) query: z.output<typeof pageQuery>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Page<unknown>> {
    const { tenantId } = principalOf(request);
    const scan = await this.find(tenantId, parseId('scan', id, 'path/id'));
    const after = readCursor('match', query.cursor);
    const page = { limit: query.limit + 1, ...(after && { after }) };
    const matches = await this.context.scans.matches(tenantId, scan.id, page);
    return toPage(request, reply, matches, query.limit, toMatch);
  }

  private async queue(
    request: FastifyRequest,
    reply: FastifyReply,
    file: WaitingFile,
    catalog: string | undefined,
  ): Promise<void> {
    const { tenantId } = principalOf(request);
    const catalogIds = await this.context.catalogsToRead(tenantId, catalog);
    const scan = await this.context.scans.create({ tenantId, catalogIds, source: file.fileName });
    const payload: ScanJobPayload = {
      uploadId: file.id,
      fileName: file.fileName,
      scanId: scan.id,
      catalogIds,
    };
    const job = await this.context.queue.enqueue({ tenantId, kind: 'scan', payload });
    void reply.header('content-location', `/v1/scans/${scan.id}`);
    await answerWithJob(this.context, request, reply, job, async () => ({
      status: 200,
      location: `/v1/scans/${scan.id}`,
      body: toScan(await this.find(tenantId, scan.id)),
    }));
  }

  private async find(tenantId: TenantId, id: ScanId): Promise<Scan> {
    const scan = isId('scan', id) ? await this.context.scans.findById(tenantId, id) : undefined;
    if (!scan) throw new RequestError('scan.not-found', `there is no scan ${id}`);
    return scan;
  }
}
