import { Controller, Inject, Post, Req, Res } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiOperation, ApiTags } from '@nestjs/swagger';
import { readMetadata, type ImportFieldError, type ImportFormat, type ImportMapping } from '@earmark/catalog';
import { RequestError, type ImportJobPayload } from '@earmark/platform';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { createReadStream } from 'node:fs';
import { z } from 'zod';
import { ApiContext } from '../api-context.js';
import { MayWait, Repeatable, Route } from '../http/answers.js';
import { fileForm } from '../http/file-form.js';
import { answerWithJob } from '../http/job-answer.js';
import { principalOf } from '../http/principal.js';
import { receiveForm, requiredFile, type ReceivedFile } from '../http/received-file.js';
import { parseWith } from '../http/schema-pipe.js';
import { dryRunReport, jobResource, toJob } from '../resources.js';
import { keepFile } from '../uploads/waiting-file.js';
import { readFlag, readJsonField } from './track-input.js';

/** Most rows of a metadata file. */
export const maxImportRows = 100_000;
/** Most errors that a report lists. */
const maxListedErrors = 1000;

const mappingField = z.record(z.string().max(300), z.string().max(300));
const catalogField = z.string().min(1).max(100);

/** Descriptions of many tracks at once. */
@ApiTags('catalog')
@Controller('v1/imports')
export class ImportsController {
  constructor(@Inject(ApiContext) private readonly context: ApiContext) {}

  @Post()
  @Repeatable()
  @MayWait()
  @ApiOperation({
    summary: 'Import descriptions from CSV or JSON lines',
    description:
      'Each row updates the track that holds one of its references or its ISRC, or adds one. Bad rows are reported ' +
      'with row and field and do not hinder the others. A dry run checks everything and changes nothing.',
  })
  @ApiConsumes('multipart/form-data')
  @ApiBody(
    fileForm({
      format: { type: 'string', description: '`csv` or `jsonl`; default by the name of the file' },
      mapping: {
        type: 'string',
        description: 'JSON: column to field, such as {"Titel":"title","No":"ref:shop"}',
      },
      catalog: { type: 'string', description: 'Name; default "main"' },
      dryRun: { type: 'string', description: '`true` or `false`' },
    }),
  )
  @Route(
    'catalog:write',
    [
      {
        status: 200,
        description: 'A dry run, or done within the time that the request waits',
        schema: dryRunReport,
      },
      { status: 202, description: 'Queued', schema: jobResource, headers: ['Location'] },
    ],
    [400, 413, 415, 422],
  )
  async create(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const { tenantId } = principalOf(request);
    const form = await receiveForm(this.context, request, 'metadata', this.context.settings.maxImportBytes);
    const received = requiredFile(form);
    const { fields } = form;
    let isKept = false;
    let dryRun: z.output<typeof dryRunReport> | undefined;
    try {
      const format = formatOf(received, fields['format']);
      const mapping =
        fields['mapping'] === undefined ? {} : readJsonField(mappingField, 'mapping', fields['mapping']);
      // A file that cannot be read at all, or has too many rows, is refused before anything is queued.
      const report = await this.check(received, format, mapping);
      if (readFlag('dryRun', fields['dryRun'])) {
        dryRun = report;
        return;
      }
      const catalog =
        fields['catalog'] === undefined ? undefined : parseWith(catalogField, fields['catalog'], 'catalog');
      const { id: catalogId } = await this.context.catalogToWrite(tenantId, catalog);
      isKept = true;
      await keepFile(this.context, tenantId, received, async ({ id: uploadId, fileName }) => {
        const payload: ImportJobPayload = { uploadId, fileName, format, mapping };
        const job = await this.context.queue.enqueue({ tenantId, catalogId, kind: 'import', payload });
        await answerWithJob(this.context, request, reply, job, (done) =>
          Promise.resolve({
            status: 200,
            location: `/v1/jobs/${job.id}`,
            body: toJob(done),
          }),
        );
      });
    } finally {
      if (!isKept) await this.context.files.remove(received.id);
      // Whoever reads the answer finds the file gone.
      if (dryRun !== undefined) await reply.code(200).send(dryRun);
    }
  }

  private async check(
    file: ReceivedFile,
    format: ImportFormat,
    mapping: ImportMapping,
  ): Promise<z.output<typeof dryRunReport>> {
    const text = createReadStream(this.context.files.pathOf(file.id), { encoding: 'utf8' });
    const errors: ImportFieldError[] = [];
    let rows = 0;
    let valid = 0;
    for await (const row of readMetadata(text as AsyncIterable<string>, format, mapping)) {
      if (++rows > maxImportRows) {
        throw new RequestError('import.too-many-rows', `a file holds at most ${maxImportRows} rows`);
      }
      if (row.errors) errors.push(...row.errors.slice(0, maxListedErrors - errors.length));
      else valid++;
    }
    return { dryRun: true, rows, valid, errors };
  }
}

function formatOf(file: ReceivedFile, field: string | undefined): ImportFormat {
  if (field === 'csv' || field === 'jsonl') return field;
  if (field !== undefined) {
    throw new RequestError('request.invalid', 'the format is csv or jsonl', [
      { pointer: 'format', code: 'request.invalid-value', title: 'is neither csv nor jsonl' },
    ]);
  }
  return /\.csv$/i.test(file.fileName) ? 'csv' : 'jsonl';
}
