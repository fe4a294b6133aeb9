import type { Track } from '@earmark/catalog';
import { metadataLimits } from '@earmark/catalog';
import { matchRelations, matchRoles, type Match, type Scan } from '@earmark/monitoring';
import type { ApiKey, Job, Upload } from '@earmark/storage';
import { z } from 'zod';
import { scopes } from './http/principal.js';

/** Zod schemas of everything that the API takes and gives; the OpenAPI description is made from them. */

const ms = z.number().int();
const failure = z.object({ code: z.string(), title: z.string() });

export const refSchema = z.strictObject({
  namespace: z.string().max(metadataLimits.refNamespaceLength),
  value: z.string().max(metadataLimits.refValueLength),
});

export const rightsSchema = z
  .strictObject({
    owner: z.string().max(metadataLimits.textLength).optional(),
    licence: z.string().max(metadataLimits.textLength).optional(),
    territories: z.array(z.string()).max(metadataLimits.territories).optional(),
    validFrom: z.string().max(10).optional(),
    validTo: z.string().max(10).optional(),
    sharePct: z.number().min(0).max(100).optional(),
  })
  .meta({ id: 'Rights', description: 'Who owns what of a recording, where and until when' });

/** What describes a track. */
export const trackInput = z
  .strictObject({
    title: z.string().max(metadataLimits.textLength).optional(),
    artists: z.array(z.string().max(metadataLimits.textLength)).max(metadataLimits.artists).optional(),
    isrc: z.string().max(20).optional().meta({ description: 'With or without hyphens' }),
    refs: z.array(refSchema).max(metadataLimits.refs).optional(),
    rights: rightsSchema.optional(),
    explicit: z.boolean().optional().meta({ description: 'Whether it has explicit words' }),
  })
  .meta({ id: 'TrackInput' });

/** A track to create from JSON: a description, and perhaps an upload with its audio. */
export const newTrack = trackInput
  .extend({
    catalog: z.string().min(1).max(100).optional().meta({ description: 'Name; default "main"' }),
    uploadId: z.string().max(40).optional(),
    allowDuplicates: z.boolean().optional(),
  })
  .meta({ id: 'NewTrack' });

export const trackPatch = z
  .strictObject({
    title: z.string().max(metadataLimits.textLength).nullable().optional(),
    artists: z.array(z.string().max(metadataLimits.textLength)).max(metadataLimits.artists).optional(),
    isrc: z.string().max(20).nullable().optional(),
    refs: z.array(refSchema).max(metadataLimits.refs).optional(),
    rights: rightsSchema.nullable().optional(),
    explicit: z.boolean().nullable().optional(),
  })
  .meta({ id: 'TrackPatch', description: 'Absent fields stay as they are, null clears' });

export const trackResource = z
  .object({
    id: z.string(),
    catalogId: z.string(),
    status: z.enum(['pending', 'ready', 'failed']),
    title: z.string().optional(),
    artists: z.array(z.string()),
    isrc: z.string().optional(),
    refs: z.array(refSchema),
    rights: rightsSchema.optional(),
    explicit: z.boolean().optional(),
    path: z.string().optional(),
    durationMs: ms.optional(),
    contentHash: z.string().optional().meta({ description: 'SHA-256 of the file' }),
    error: failure.optional(),
    version: z.number().int(),
    createdAtMs: ms,
    updatedAtMs: ms,
  })
  .meta({ id: 'Track' });

export const ingestedTrack = trackResource
  .extend({
    duplicate: z.boolean().optional().meta({ description: 'The same recording under another name' }),
  })
  .meta({ id: 'IngestedTrack' });

export const matchResource = z
  .object({
    id: z.string().optional(),
    trackId: z.string(),
    path: z.string().optional(),
    title: z.string().optional(),
    queryStartMs: ms,
    queryEndMs: ms,
    referenceStartMs: ms.meta({ description: 'What sounds at queryStartMs' }),
    referenceEndMs: ms,
    score: z.number().min(0).max(1),
    probability: z.number().min(0).max(1).meta({ description: 'Calibrated' }),
    speedRatio: z
      .number()
      .meta({ description: 'Reference ms per query ms: 1.05 = the query plays 5 % faster' }),
    pitchCents: z.number().meta({ description: 'Query above reference' }),
    role: z.enum(matchRoles),
    relation: z.enum(matchRelations).optional(),
    alternatives: z.array(z.object({ trackId: z.string(), probability: z.number() })).optional(),
  })
  .meta({ id: 'Match' });

export const identification = z
  .object({ durationMs: ms, matches: z.array(matchResource), partial: z.boolean().optional() })
  .meta({ id: 'Identification', description: 'Best match first; an empty list = no match' });

export const scanResource = z
  .object({
    id: z.string(),
    source: z.string(),
    catalogIds: z.array(z.string()).meta({ description: 'Empty = every catalog' }),
    state: z.enum(['queued', 'running', 'done', 'failed', 'cancelled']),
    durationMs: ms.optional(),
    error: failure.optional(),
    createdAtMs: ms,
    finishedAtMs: ms.optional(),
  })
  .meta({ id: 'Scan' });

export const newScan = z
  .strictObject({
    uploadId: z.string().max(40),
    catalog: z.string().max(1000).optional().meta({ description: 'Names separated by commas; default all' }),
  })
  .meta({ id: 'NewScan' });

export const jobResource = z
  .object({
    id: z.string(),
    kind: z.string(),
    state: z.enum(['queued', 'running', 'done', 'failed', 'cancelled']),
    stage: z.string(),
    done: z.number().int(),
    total: z.number().int().meta({ description: '0 while unknown' }),
    cancelRequested: z.boolean(),
    attempts: z.number().int(),
    result: z.unknown().optional(),
    error: failure.optional(),
    createdAtMs: ms,
    finishedAtMs: ms.optional(),
  })
  .meta({ id: 'Job' });

export const newUpload = z
  .strictObject({
    fileName: z.string().min(1).max(300),
    lengthBytes: z.number().int().min(1),
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .optional()
      .meta({ description: 'Checked when the last byte has come' }),
  })
  .meta({ id: 'NewUpload' });

export const uploadResource = z
  .object({
    id: z.string(),
    fileName: z.string(),
    lengthBytes: z.number().int(),
    offsetBytes: z.number().int().meta({ description: 'Where the upload goes on' }),
    sha256: z.string().optional(),
    state: z.enum(['open', 'complete']),
    createdAtMs: ms,
    expiresAtMs: ms,
  })
  .meta({ id: 'Upload' });

export const newKey = z
  .strictObject({ name: z.string().min(1).max(100), scopes: z.array(z.enum(scopes)).min(1) })
  .meta({ id: 'NewKey' });

export const keyResource = z
  .object({
    id: z.string(),
    name: z.string(),
    scopes: z.array(z.string()),
    createdAtMs: ms,
    lastUsedAtMs: ms.optional(),
    revokedAtMs: ms.optional(),
  })
  .meta({ id: 'Key' });

export const madeKey = keyResource
  .extend({ secret: z.string().meta({ description: 'Shown here and never again' }) })
  .meta({ id: 'MadeKey' });

export const importErrors = z.array(
  z.object({ row: z.number().int(), field: z.string(), code: z.string(), title: z.string() }),
);

export const dryRunReport = z
  .object({ dryRun: z.literal(true), rows: z.number().int(), valid: z.number().int(), errors: importErrors })
  .meta({ id: 'DryRunReport', description: 'At most 1,000 errors are listed' });

export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    code: z.string().meta({ description: 'Stable and machine-readable' }),
    request_id: z.string(),
    errors: z.array(z.object({ pointer: z.string(), code: z.string(), title: z.string() })).optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457' });

/** A page of a list. */
export function pageOf<T extends z.ZodType>(item: T): z.ZodObject {
  return z.object({ data: z.array(item), nextCursor: z.string().nullable() });
}

/** A track as it goes out: without its tenant, with its source under the contract's name. */
export function toTrack(
  track: Track,
): Omit<Track, 'tenantId' | 'sourcePath' | 'fingerprintConfigId'> & Readonly<{ path?: string }> {
  const { tenantId: _tenant, fingerprintConfigId: _config, sourcePath, ...rest } = track;
  return { ...rest, ...(sourcePath !== undefined && { path: sourcePath }) };
}

/** A match as it goes out: field names are the contract's own. */
export function toMatch(match: Match): Match {
  return match;
}

/** A scan without its tenant. */
export function toScan({ tenantId: _tenant, ...scan }: Scan): Omit<Scan, 'tenantId'> {
  return scan;
}

/** A job without what only workers need. */
export function toJob(job: Job): Omit<Job, 'tenantId' | 'catalogId' | 'payload' | 'maxAttempts'> {
  const { tenantId: _tenant, catalogId: _catalog, payload: _payload, maxAttempts: _max, ...rest } = job;
  return rest;
}

/** An upload without its tenant. */
export function toUpload({ tenantId: _tenant, ...upload }: Upload): Omit<Upload, 'tenantId'> {
  return upload;
}

/** A key without its tenant. */
export function toKey({ tenantId: _tenant, ...key }: ApiKey): Omit<ApiKey, 'tenantId'> {
  return key;
}
