import type { ImportMapping, ImportRow, TrackMetadata, TrackStore } from '@earmark/catalog';
import { CatalogConflictError, readMetadata } from '@earmark/catalog';
import { DomainError, type CatalogId, type ScanId, type TrackId, type UploadId } from '@earmark/kernel';
import type { ListeningService, Progress, ScanStore } from '@earmark/monitoring';
import type { Job, JobQueue, PgUploadStore, UploadFiles } from '@earmark/storage';
import { createReadStream } from 'node:fs';

/** What an `ingest` job does: takes an uploaded file into a catalog. */
export type IngestJobPayload = Readonly<{
  uploadId: UploadId;
  fileName: string;
  metadata: TrackMetadata;
  allowDuplicates: boolean;
  /** Track made by metadata that gets this audio. */
  trackId?: TrackId;
}>;

/** What a `scan` job does: finds every track in an uploaded file. */
export type ScanJobPayload = Readonly<{
  uploadId: UploadId;
  fileName: string;
  scanId: ScanId;
  catalogIds: readonly CatalogId[];
}>;

/** What an `import` job does: creates and updates tracks from an uploaded metadata file. */
export type ImportJobPayload = Readonly<{
  uploadId: UploadId;
  fileName: string;
  format: 'csv' | 'jsonl';
  mapping: ImportMapping;
}>;

/** What an import came to. At most a thousand errors are listed; `failed` counts all bad rows. */
export type ImportReport = Readonly<{
  rows: number;
  created: number;
  updated: number;
  failed: number;
  errors: readonly Readonly<{ row: number; field: string; code: string; title: string }>[];
}>;

/** What the jobs work with. */
export type ListeningJobParts = Readonly<{
  engine: ListeningService;
  tracks: TrackStore;
  scans: ScanStore;
  queue: JobQueue;
  uploads: PgUploadStore;
  files: UploadFiles;
}>;

/** What a runner gives to a job. */
export type JobContext = Readonly<{ signal: AbortSignal; onProgress: (progress: Progress) => void }>;

/** Carries out one kind of job. */
export type JobHandler = (job: Job, context: JobContext) => Promise<unknown>;

/** Most errors that a report lists. */
const maxListedErrors = 1000;

/**
 * The kinds of jobs that the API queues: `ingest`, `scan`, `import`, `rebuild-index`. Each removes its uploaded file
 * when it has ended for good.
 */
export function listeningJobs(parts: ListeningJobParts): Readonly<Record<string, JobHandler>> {
  const { engine, files } = parts;
  return {
    ingest: (job, context) =>
      withUpload(parts, job, context, async () => {
        const payload = job.payload as IngestJobPayload;
        return engine.ingestFile({
          tenantId: job.tenantId,
          catalogId: required(job.catalogId),
          path: files.pathOf(payload.uploadId),
          sourceName: payload.fileName,
          metadata: payload.metadata,
          allowDuplicates: payload.allowDuplicates,
          keepAudio: true,
          ...(payload.trackId !== undefined && { trackId: payload.trackId }),
          ...context,
        });
      }),
    scan: (job, context) =>
      withUpload(parts, job, context, async () => {
        const payload = job.payload as ScanJobPayload;
        const result = await engine.scanFile({
          tenantId: job.tenantId,
          catalogIds: payload.catalogIds,
          path: files.pathOf(payload.uploadId),
          sourceName: payload.fileName,
          scanId: payload.scanId,
          ...context,
        });
        return { scanId: result.scanId, durationMs: result.durationMs, matches: result.matches.length };
      }),
    import: (job, context) => withUpload(parts, job, context, () => importMetadata(parts, job, context)),
    'rebuild-index': (_job, context) => engine.rebuildIndex(context),
  };
}

/** Runs a job on its uploaded file and removes the file unless the job will be tried again. */
async function withUpload<T>(
  parts: ListeningJobParts,
  job: Job,
  context: JobContext,
  work: () => Promise<T>,
): Promise<T> {
  try {
    const result = await work();
    await discardUpload(parts, job);
    return result;
  } catch (error) {
    const now = await parts.queue.findById(job.tenantId, job.id);
    const isTaken = now !== undefined && now.state === 'running' && now.attempts !== job.attempts;
    const isCancelled = now?.cancelRequested === true;
    const isInterrupted = context.signal.aborted && !isCancelled;
    const willRetry = !isCancelled && mayRetry(error) && job.attempts < job.maxAttempts;
    if (!isTaken && !isInterrupted && !willRetry) await discardUpload(parts, job);
    throw error;
  }
}

/** Errors that are no fault of the input, an interruption included. */
function mayRetry(error: unknown): boolean {
  if (!(error instanceof DomainError)) return true;
  return /^(engine|index|storage|job)\./.test(error.code) || error.code === 'media.aborted';
}

/** Removes the uploaded file of a job that has ended for good. */
export async function discardUpload(
  parts: Pick<ListeningJobParts, 'uploads' | 'files'>,
  job: Pick<Job, 'tenantId' | 'payload'>,
): Promise<void> {
  const { uploadId } = job.payload as Readonly<{ uploadId?: UploadId }>;
  if (uploadId === undefined) return;
  await parts.uploads.remove(job.tenantId, uploadId);
  await parts.files.remove(uploadId);
}

async function importMetadata(
  parts: ListeningJobParts,
  job: Job,
  context: JobContext,
): Promise<ImportReport> {
  const payload = job.payload as ImportJobPayload;
  const report = {
    rows: 0,
    created: 0,
    updated: 0,
    failed: 0,
    errors: [] as ImportReport['errors'][number][],
  };
  const text = createReadStream(parts.files.pathOf(payload.uploadId), { encoding: 'utf8' });
  for await (const row of readMetadata(text as AsyncIterable<string>, payload.format, payload.mapping)) {
    context.signal.throwIfAborted();
    const outcome = await importRow(parts, job, row);
    report.rows++;
    if (outcome === 'created' || outcome === 'updated') {
      report[outcome]++;
    } else {
      report.failed++;
      report.errors.push(...outcome.slice(0, maxListedErrors - report.errors.length));
    }
    context.onProgress({ stage: 'import', done: report.rows, total: 0 });
  }
  return report;
}

async function importRow(
  parts: ListeningJobParts,
  job: Job,
  row: ImportRow,
): Promise<'created' | 'updated' | ImportReport['errors']> {
  if (row.errors) return row.errors;
  try {
    const { isCreated } = await upsertTrack(
      parts.tracks,
      job.tenantId,
      required(job.catalogId),
      row.metadata,
    );
    return isCreated ? 'created' : 'updated';
  } catch (error) {
    if (!(error instanceof CatalogConflictError)) throw error;
    const field = (error.pointer ?? '').slice(1);
    return [{ row: row.row, field, code: error.code, title: error.message }];
  }
}

/**
 * Updates the track that holds one of the references (or the ISRC) of a description, or creates it.
 *
 * @throws {CatalogConflictError} `catalog.ref-taken` if its references belong to several tracks
 */
export async function upsertTrack(
  tracks: TrackStore,
  tenantId: Job['tenantId'],
  catalogId: CatalogId,
  metadata: TrackMetadata,
): Promise<Readonly<{ track: Awaited<ReturnType<TrackStore['create']>>; isCreated: boolean }>> {
  const keys = [...metadata.refs];
  if (metadata.isrc !== undefined) keys.push({ namespace: 'isrc', value: metadata.isrc });
  for (let attempt = 0; ; attempt++) {
    for (const key of keys) {
      const found = await tracks.findByRef(tenantId, catalogId, key);
      if (!found) continue;
      const track = await tracks.update(tenantId, found.id, {
        ...(metadata.title !== undefined && { title: metadata.title }),
        ...(metadata.artists.length > 0 && { artists: metadata.artists }),
        ...(metadata.isrc !== undefined && { isrc: metadata.isrc }),
        ...(metadata.rights && { rights: metadata.rights }),
        ...(metadata.explicit !== undefined && { explicit: metadata.explicit }),
        refs: mergeRefs(found.refs, metadata.refs),
      });
      if (track) return { track, isCreated: false };
    }
    try {
      return { track: await tracks.create({ tenantId, catalogId, metadata }), isCreated: true };
    } catch (error) {
      // Somebody created it since we looked: update that one.
      const isRace =
        error instanceof CatalogConflictError && error.code === 'catalog.ref-taken' && attempt === 0;
      if (!isRace) throw error;
    }
  }
}

function mergeRefs(old: TrackMetadata['refs'], added: TrackMetadata['refs']): TrackMetadata['refs'] {
  const byKey = new Map([...old, ...added].map((ref) => [`${ref.namespace}:${ref.value}`, ref]));
  return [...byKey.values()];
}

function required(catalogId: CatalogId | undefined): CatalogId {
  if (catalogId === undefined) throw new Error('the job has no catalog');
  return catalogId;
}
