import { serve, type RunningServer } from '@earmark/api';
import { openEngine, type Engine, type EngineSettings } from '@earmark/engine';
import { apiSettingsFrom, createLogger, type Problem } from '@earmark/platform';
import { openTestDatabase, type TestDatabase } from '@earmark/storage/testing';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';

/** How an answer looked. */
export type Answered<T> = Readonly<{ status: number; headers: Headers; body: T }>;

/** A request to make. */
export type Wanted = Readonly<{
  method?: string;
  /** JSON. */
  json?: unknown;
  form?: FormData;
  raw?: RequestInit['body'];
  headers?: Readonly<Record<string, string>>;
  /** Secret; default the first key, `null` for none. */
  key?: string | null;
}>;

/** The real API with engine, worker and database, on a free port. */
export class ApiServer {
  private constructor(
    private readonly server: RunningServer,
    readonly engine: Engine,
    readonly test: TestDatabase,
  ) {}

  /** Starts a server on an empty database; `environment` changes its settings, `engineSettings` those of its engine. */
  static async start(
    environment: Readonly<Record<string, string>> = {},
    engineSettings: Partial<EngineSettings> = {},
  ): Promise<ApiServer> {
    const test = await openTestDatabase();
    const { dataDir, databaseUrl } = test;
    const withWorker = environment['EARMARK_API_WORKER'] !== 'false';
    const engine = await openEngine({
      dataDir,
      databaseUrl,
      concurrency: 2,
      access: withWorker ? 'write' : 'share',
      ...engineSettings,
    });
    const settings = apiSettingsFrom({ EARMARK_DATA_DIR: dataDir, EARMARK_PORT: '0', ...environment });
    const server = await serve({ engine, settings, logger: createLogger('silent'), withWorker });
    return new ApiServer(server, engine, test);
  }

  /** Base URL. */
  get url(): string {
    return this.server.url;
  }

  /** Secret of the first key. */
  get firstKey(): string {
    return this.server.firstKey ?? '';
  }

  /** Makes a request and reads its JSON. */
  async call<T = Record<string, unknown>>(path: string, wanted: Wanted = {}): Promise<Answered<T>> {
    const headers = new Headers(wanted.headers);
    const key = wanted.key === undefined ? this.firstKey : wanted.key;
    if (key !== null) headers.set('authorization', `Bearer ${key}`);
    if (wanted.json !== undefined) headers.set('content-type', 'application/json');
    const body = wanted.json === undefined ? (wanted.form ?? wanted.raw) : JSON.stringify(wanted.json);
    const hasBody = body !== undefined && body !== null;
    const response = await fetch(this.url + path, {
      method: wanted.method ?? (hasBody ? 'POST' : 'GET'),
      headers,
      ...(hasBody && { body, duplex: 'half' }),
    });
    const text = await response.text();
    const isJson = text !== '' && response.headers.get('content-type')?.includes('json') === true;
    return {
      status: response.status,
      headers: response.headers,
      body: (isJson ? JSON.parse(text) : text) as T,
    };
  }

  /** Expects a problem with its whole form. */
  async expectProblem(path: string, wanted: Wanted, status: number, code: string): Promise<Problem> {
    const answer = await this.call<Problem>(path, wanted);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(answer.body).toMatchObject({ status, type: `urn:earmark:problem:${code}` });
    expect(answer.body.request_id).toBe(answer.headers.get('x-request-id'));
    return answer.body;
  }

  /** Names of files in the upload folder. */
  uploadedFiles(): readonly string[] {
    try {
      return readdirSync(join(this.test.dataDir, 'uploads'));
    } catch {
      return [];
    }
  }

  /** Everything that a failed request must not leave behind. */
  async leftovers(): Promise<Readonly<Record<string, number>>> {
    const { rows } = await this.test.database.pool.query<Record<string, number>>(`
      SELECT (SELECT count(*) FROM upload) AS uploads,
             (SELECT count(*) FROM track WHERE status <> 'ready') AS "unfinishedTracks",
             (SELECT count(*) FROM track_peaks) - (SELECT count(*) FROM track WHERE status = 'ready') AS "strayPeaks",
             (SELECT count(*) FROM job WHERE state IN ('queued', 'running')) AS "openJobs",
             (SELECT count(*) FROM scan WHERE state IN ('queued', 'running')) AS "openScans"`);
    return { ...rows[0], files: this.uploadedFiles().length };
  }

  /** Stops everything. */
  async stop(): Promise<void> {
    await this.server.close();
    await this.engine.close();
    await this.test.end();
  }
}

/** What {@link ApiServer.leftovers} is when nothing was left. */
export const nothingLeft = {
  uploads: 0,
  unfinishedTracks: 0,
  strayPeaks: 0,
  openJobs: 0,
  openScans: 0,
  files: 0,
};

/** A multipart body with a file and fields. */
export function form(
  file: Uint8Array<ArrayBuffer> | string,
  fileName: string,
  fields: Readonly<Record<string, string>> = {},
): FormData {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.set(name, value);
  body.set('file', new Blob([file]), fileName);
  return body;
}
