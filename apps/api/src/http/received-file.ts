import { RequestError } from '@earmark/platform';
import { DomainError, type UploadId } from '@earmark/kernel';
import { newId } from '@earmark/storage';
import type { FastifyRequest } from 'fastify';
import path from 'node:path';
import type { ApiContext } from '../api-context.js';

/** A file that came in a multipart body; it lies in the upload folder until somebody removes it. */
export type ReceivedFile = Readonly<{ id: UploadId; fileName: string; sizeBytes: number }>;

/** What a multipart body held. */
export type ReceivedForm = Readonly<{ fields: Readonly<Record<string, string>>; file?: ReceivedFile }>;

const mediaExtensions = new Set(
  'wav wave mp3 flac ogg oga opus m4a m4b aac adts mp4 m4v mov mkv mka webm ts mts m2ts mpg mpeg'.split(' '),
);
const metadataExtensions = new Set(['csv', 'jsonl', 'ndjson']);

/** What a file must be, by its name or by the type that its sender gives. */
export type FileKind = 'media' | 'metadata';

/** Longest name of a file, in characters. */
export const maxFileNameLength = 300;

/**
 * Checks name and type of a file before any byte of it is read. A file whose name says nothing is accepted if its type
 * does not contradict; its contents are checked when it is decoded.
 *
 * @throws {RequestError} `request.unsupported-type`
 */
export function assertFileKind(kind: FileKind, fileName: string, mimeType: string | undefined): void {
  const extension = path.extname(fileName).slice(1).toLowerCase();
  const accepted = kind === 'media' ? mediaExtensions : metadataExtensions;
  const mime = (mimeType ?? 'application/octet-stream').split(';')[0]?.trim().toLowerCase() ?? '';
  const isAcceptedType =
    kind === 'media'
      ? /^(audio|video)\/|^application\/(ogg|mp4)$/.test(mime)
      : /csv|ndjson|jsonl|json-seq/.test(mime);
  const isPlaylist = /mpegurl|\.m3u8?$|\.pls$/i.test(`${mime} ${fileName}`);
  const isNeutral = extension === '' && mime === 'application/octet-stream';
  if (!isPlaylist && (accepted.has(extension) || isAcceptedType || isNeutral)) return;
  const wanted = kind === 'media' ? 'audio or video' : 'CSV or JSON lines';
  throw new RequestError('request.unsupported-type', `"${fileName.slice(0, 80)}" (${mime}) is no ${wanted}`);
}

/** Checks the announced length of a body before any of it is read. */
function assertContentLength(request: FastifyRequest, maxBytes: number): void {
  const announced = Number(request.headers['content-length'] ?? 0);
  // Room for the fields and the borders between parts.
  if (announced > maxBytes + 1_048_576) throw tooLarge(maxBytes);
}

function tooLarge(maxBytes: number): RequestError {
  return new RequestError('request.too-large', `a file here holds at most ${maxBytes} bytes`);
}

/**
 * Reads a multipart body: text fields and at most one file, in the field `file`. If anything is wrong, nothing of it
 * stays behind.
 *
 * @throws {RequestError} `request.too-large`, `request.unsupported-type`, `request.bad-multipart`,
 *   `request.empty-file`
 */
export async function receiveForm(
  context: ApiContext,
  request: FastifyRequest,
  kind: FileKind,
  maxBytes: number,
): Promise<ReceivedForm> {
  if (!request.isMultipart()) throw new RequestError('request.unsupported-type', 'send multipart/form-data');
  assertContentLength(request, maxBytes);
  const fields: Record<string, string> = {};
  let file: ReceivedFile | undefined;
  let begun: UploadId | undefined;
  try {
    const limits = { files: 1, fields: 20, parts: 21, fieldSize: 262_144, fileSize: Number.MAX_SAFE_INTEGER };
    for await (const part of request.parts({ limits })) {
      if (part.type === 'field') {
        if (part.valueTruncated)
          throw new RequestError('request.too-large', `the field ${part.fieldname} is too long`);
        fields[part.fieldname] = String(part.value);
        continue;
      }
      if (part.fieldname !== 'file') {
        throw new RequestError('request.bad-multipart', 'the file belongs into the field "file"');
      }
      const fileName = path.basename(part.filename).slice(0, maxFileNameLength);
      assertFileKind(kind, fileName, part.mimetype);
      begun = newId('upload');
      const { sizeBytes, overflow } = await context.files.write(begun, part.file, 0, maxBytes);
      if (overflow) throw tooLarge(maxBytes);
      file = { id: begun, fileName: fileName === '' ? 'unnamed' : fileName, sizeBytes };
    }
    if (file?.sizeBytes === 0) throw new RequestError('request.empty-file', 'the file has no bytes');
  } catch (error) {
    if (begun) await context.files.remove(begun);
    if (isMalformed(error))
      throw new RequestError('request.bad-multipart', 'the body breaks off or is malformed');
    throw error;
  }
  if (file) context.metrics.receivedBytes.inc(file.sizeBytes);
  return { fields, ...(file && { file }) };
}

/** What is neither ours nor the file system's comes from the parser and is the body's fault. */
function isMalformed(error: unknown): boolean {
  return error instanceof Error && !(error instanceof DomainError) && !('syscall' in error);
}

/** The file of a form. @throws {RequestError} `request.missing-file` */
export function requiredFile(form: ReceivedForm): ReceivedFile {
  if (form.file) return form.file;
  throw new RequestError('request.missing-file', 'send the file in the field "file"');
}
