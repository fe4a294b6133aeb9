import { DomainError } from '@earmark/kernel';
import { z } from 'zod';

/** Bad environment variables, all of them in one message. */
export class ApiSettingsError extends DomainError {
  readonly code = 'config.invalid';
}

const gibibyte = 1024 ** 3;
const mebibyte = 1024 ** 2;

/** Environment variables of the API with their defaults; everything runs without any of them set. */
const environmentSchema = z.object({
  EARMARK_DATA_DIR: z.string().min(1).default('.earmark'),
  EARMARK_HOST: z.string().min(1).default('127.0.0.1'),
  EARMARK_PORT: z.coerce.number().int().min(0).max(65_535).default(8420),
  EARMARK_LOG_LEVEL: z.enum(['silent', 'error', 'warn', 'info', 'debug']).default('info'),
  EARMARK_MAX_UPLOAD_BYTES: z.coerce
    .number()
    .int()
    .min(1)
    .default(8 * gibibyte),
  EARMARK_MAX_CLIP_BYTES: z.coerce
    .number()
    .int()
    .min(1)
    .default(64 * mebibyte),
  EARMARK_MAX_IMPORT_BYTES: z.coerce
    .number()
    .int()
    .min(1)
    .default(64 * mebibyte),
  EARMARK_API_WORKER: z.enum(['true', 'false']).default('true'),
  EARMARK_REQUESTS_PER_MINUTE: z.coerce.number().int().min(1).default(6000),
});

/** How the API listens and what it accepts. */
export type ApiSettings = Readonly<{
  /** Folder of embedded database, index and uploads. */
  dataDir: string;
  /** Address to listen on; loopback unless told otherwise. */
  host: string;
  /** Port to listen on; 0 takes a free one. */
  port: number;
  logLevel: 'silent' | 'error' | 'warn' | 'info' | 'debug';
  /** Largest media file, in bytes. */
  maxUploadBytes: number;
  /** Largest clip to identify, in bytes. */
  maxClipBytes: number;
  /** Largest metadata file, in bytes. */
  maxImportBytes: number;
  /** Requests that a key may make in a minute. */
  requestsPerMinute: number;
  /** Whether the API's process also carries out jobs. */
  withWorker: boolean;
}>;

/**
 * Reads the API's settings from environment variables.
 *
 * @throws {ApiSettingsError} that names every bad variable
 */
export function apiSettingsFrom(environment: Readonly<Record<string, string | undefined>>): ApiSettings {
  const result = environmentSchema.safeParse(environment);
  if (!result.success) {
    const problems = result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new ApiSettingsError(problems.join('; '));
  }
  const values = result.data;
  return Object.freeze({
    dataDir: values.EARMARK_DATA_DIR,
    host: values.EARMARK_HOST,
    port: values.EARMARK_PORT,
    logLevel: values.EARMARK_LOG_LEVEL,
    maxUploadBytes: values.EARMARK_MAX_UPLOAD_BYTES,
    maxClipBytes: values.EARMARK_MAX_CLIP_BYTES,
    maxImportBytes: values.EARMARK_MAX_IMPORT_BYTES,
    withWorker: values.EARMARK_API_WORKER === 'true',
    requestsPerMinute: values.EARMARK_REQUESTS_PER_MINUTE,
  });
}
