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
  Req,
  Res,
} from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import { parseId } from '@earmark/kernel';
import { RequestError } from '@earmark/platform';
import type { Upload } from '@earmark/storage';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { ApiContext } from '../api-context.js';
import { Repeatable, Route } from '../http/answers.js';
import { principalOf, type Scope } from '../http/principal.js';
import { assertFileKind } from '../http/received-file.js';
import { newUpload, toUpload, uploadResource } from '../resources.js';
import { uploadLifeMs } from './waiting-file.js';

/** Who may send files. */
const senders: readonly Scope[] = ['catalog:write', 'scan'];

/** Type of the bytes that a PATCH appends, as in the tus protocol. */
export const partType = 'application/offset+octet-stream';

/**
 * Resumable uploads in the manner of tus: make one with its length, append bytes at the offset, ask for the offset
 * after a break, go on. An upload is used once, by a track, a scan or an import, and removed then, or after a day.
 */
@ApiTags('uploads')
@Controller('v1/uploads')
export class UploadsController {
  constructor(@Inject(ApiContext) private readonly context: ApiContext) {}

  @Post()
  @Repeatable()
  @ApiOperation({ summary: 'Begin an upload' })
  @Route(
    senders,
    [{ status: 201, description: 'Begun', schema: uploadResource, headers: ['Location'] }],
    [400, 413, 415, 422],
  )
  async create(
    @Body({ schema: newUpload }) body: z.output<typeof newUpload>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    assertFileKind('media', body.fileName, undefined);
    const maxBytes = this.context.settings.maxUploadBytes;
    if (body.lengthBytes > maxBytes) {
      throw new RequestError('request.too-large', `a file here holds at most ${maxBytes} bytes`, [
        { pointer: '/lengthBytes', code: 'request.too-large', title: `is more than ${maxBytes}` },
      ]);
    }
    const { tenantId } = principalOf(request);
    const { fileName, lengthBytes, sha256 } = body;
    const upload = await this.context.uploads.create({
      tenantId,
      fileName,
      lengthBytes,
      ...(sha256 !== undefined && { sha256 }),
      lifeMs: uploadLifeMs,
    });
    void reply.header('location', `/v1/uploads/${upload.id}`);
    return toUpload(upload);
  }

  @Get(':id')
  @ApiOperation({ summary: 'Read where an upload goes on', description: 'HEAD gives the headers alone.' })
  @Route(
    senders,
    [
      {
        status: 200,
        description: 'The upload',
        schema: uploadResource,
        headers: ['Upload-Offset', 'Upload-Length'],
      },
    ],
    [404, 422],
  )
  async read(
    @Param('id') id: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const upload = await this.find(request, id);
    setOffset(reply, upload);
    void reply.header('cache-control', 'no-store');
    return toUpload(upload);
  }

  @Patch(':id')
  @HttpCode(204)
  @ApiOperation({ summary: 'Append bytes', description: 'If the connection breaks, what has come counts.' })
  @ApiConsumes(partType)
  @ApiBody({ schema: { type: 'string', format: 'binary' } })
  @ApiHeader({ name: 'Upload-Offset', required: true, description: 'Byte at which the body begins' })
  @Route(
    senders,
    [{ status: 204, description: 'Appended', headers: ['Upload-Offset', 'Upload-Length'] }],
    [400, 404, 409, 413, 415, 422],
  )
  async append(
    @Param('id') id: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const { tenantId } = principalOf(request);
    const uploadId = parseId('upload', id, 'path/id');
    if ((request.headers['content-type'] ?? '').split(';')[0] !== partType) {
      throw new RequestError('request.unsupported-type', `send ${partType}`);
    }
    const offset = readOffset(request.headers['upload-offset']);
    let mismatch = false;
    const upload = await this.context.uploads.append(tenantId, uploadId, offset, async (current) => {
      const announced = Number(request.headers['content-length'] ?? 0);
      if (offset + announced > current.lengthBytes) throw tooLong(current);
      const { sizeBytes, overflow } = await this.context.files.write(
        uploadId,
        request.raw,
        offset,
        current.lengthBytes,
      );
      if (overflow) throw tooLong(current);
      this.context.metrics.receivedBytes.inc(sizeBytes - offset);
      if (sizeBytes < current.lengthBytes) return { offsetBytes: sizeBytes, state: 'open' };
      mismatch =
        current.sha256 !== undefined && (await this.context.files.sha256(uploadId)) !== current.sha256;
      return { offsetBytes: sizeBytes, state: 'complete' };
    });
    if (!upload) throw notFound(id);
    if (mismatch) {
      await this.discard(request, id);
      throw new RequestError('upload.checksum-mismatch', 'the upload was removed, begin again');
    }
    setOffset(reply, upload);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ summary: 'Give an upload up' })
  @Route(senders, [{ status: 204, description: 'Removed' }], [404, 422])
  async remove(@Param('id') id: string, @Req() request: FastifyRequest): Promise<void> {
    if (!(await this.discard(request, id))) throw notFound(id);
  }

  private async discard(request: FastifyRequest, id: string): Promise<boolean> {
    const uploadId = parseId('upload', id, 'path/id');
    const isRemoved = await this.context.uploads.remove(principalOf(request).tenantId, uploadId);
    if (isRemoved) await this.context.files.remove(uploadId);
    return isRemoved;
  }

  private async find(request: FastifyRequest, id: string): Promise<Upload> {
    const uploadId = parseId('upload', id, 'path/id');
    const upload = await this.context.uploads.findById(principalOf(request).tenantId, uploadId);
    if (!upload) throw notFound(id);
    return upload;
  }
}

function setOffset(reply: FastifyReply, upload: Upload): void {
  void reply
    .header('upload-offset', String(upload.offsetBytes))
    .header('upload-length', String(upload.lengthBytes));
}

function readOffset(header: string | string[] | undefined): number {
  if (typeof header === 'string' && /^\d{1,15}$/.test(header)) return Number(header);
  throw new RequestError('upload.bad-offset', 'send Upload-Offset: <bytes>', [
    { pointer: 'header/Upload-Offset', code: 'upload.bad-offset', title: 'is missing or no whole number' },
  ]);
}

function tooLong(upload: Upload): RequestError {
  return new RequestError('upload.too-long', `the upload was made for ${upload.lengthBytes} bytes`);
}

function notFound(id: string): RequestError {
  return new RequestError('upload.not-found', `there is no upload ${id}`);
}
