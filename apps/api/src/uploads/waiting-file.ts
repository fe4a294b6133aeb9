import type { TenantId, UploadId } from '@earmark/kernel';
import { RequestError } from '@earmark/platform';
import type { ApiContext } from '../api-context.js';
import type { ReceivedFile } from '../http/received-file.js';

/** A complete file that waits for the job that will use and remove it. */
export type WaitingFile = Readonly<{ id: UploadId; fileName: string }>;

/** How long an upload may take and wait: a day. */
export const uploadLifeMs = 86_400_000;

/**
 * Keeps a file that came with a request until its job has ended.
 *
 * @param queue hands the file to a job; if it throws, the file is removed
 */
export async function keepFile(
  context: ApiContext,
  tenantId: TenantId,
  file: ReceivedFile,
  queue: (file: WaitingFile) => Promise<void>,
): Promise<void> {
  const { id, fileName, sizeBytes: lengthBytes } = file;
  let isQueued = false;
  try {
    await context.uploads.create({
      tenantId,
      id,
      fileName,
      lengthBytes,
      state: 'complete',
      lifeMs: uploadLifeMs,
    });
    await queue(file);
    isQueued = true;
  } finally {
    if (!isQueued) {
      await context.uploads.remove(tenantId, id);
      await context.files.remove(id);
    }
  }
}

/**
 * Finds an upload that is ready to be used.
 *
 * @throws {RequestError} `upload.not-found`, `upload.incomplete`
 */
export async function takeUpload(
  context: ApiContext,
  tenantId: TenantId,
  id: UploadId,
): Promise<WaitingFile> {
  const upload = await context.uploads.findById(tenantId, id);
  if (!upload) throw new RequestError('upload.not-found', `there is no upload ${id}`);
  if (upload.state !== 'complete') {
    throw new RequestError(
      'upload.incomplete',
      `${upload.offsetBytes} of ${upload.lengthBytes} bytes have come`,
    );
  }
  return upload;
}
