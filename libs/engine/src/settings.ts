import { DomainError } from '@earmark/kernel';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { delimiter } from 'node:path';
import { type ElasticsearchSettings, elasticsearchSettingsFrom } from './elasticsearch-settings.js';

/** Where entry points of tracks are searched. */
export type HeadIndexPlace = 'memory' | 'elasticsearch';

/** What the engine needs to know about its surroundings. */
export type EngineSettings = Readonly<{
  /** Folder of embedded database and index. */
  dataDir: string;
  /** External PostgreSQL; absent: the embedded one. */
  databaseUrl?: string;
  /** Cluster that holds the fingerprint index; absent: files in the data folder. */
  elasticsearch?: ElasticsearchSettings;
  /** Where entry points of tracks are searched: in memory (default), or in the cluster beside the fingerprint index. */
  headIndex?: HeadIndexPlace;
  /** Worker threads that decode and analyse, 1..256. */
  concurrency: number;
  /** Path of FFmpeg; empty: none; absent: the one on the PATH. */
  ffmpegPath?: string;
  /** Tag recordings when they are taken in; default true. */
  tagOnIngest?: boolean;
  /** Analyse recordings for transitions when they are taken in; default true. */
  analyzeOnIngest?: boolean;
  /** Keep the audio of uploads, for previews and later analysis; default true. */
  keepAudio?: boolean;
  /** Folders with tagging models of the user's, or single models. */
  modelFolders?: readonly string[];
}>;

/** Bad environment variables, all of them in one message. */
export class SettingsError extends DomainError {
  readonly code = 'config.invalid';
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads `DATABASE_URL` (or `DATABASE_URL_FILE`), `EARMARK_CONCURRENCY`, `EARMARK_FFMPEG`, `EARMARK_TAG_ON_INGEST`,
 * `EARMARK_ANALYZE_ON_INGEST`, `EARMARK_KEEP_AUDIO`, `EARMARK_MODELS`, `EARMARK_HEAD_INDEX` and what
 * {@link elasticsearchSettingsFrom} reads.
 *
 * @throws {SettingsError} that names every bad variable
 */
export function engineSettingsFrom(environment: Environment): Omit<EngineSettings, 'dataDir'> {
  const problems: string[] = [];
  const databaseUrl = secret(environment, 'DATABASE_URL', problems);
  if (databaseUrl !== undefined && !/^postgres(ql)?:\/\//.test(databaseUrl)) {
    problems.push('DATABASE_URL: must start with postgres:// or postgresql://');
  }
  const concurrencyText = environment['EARMARK_CONCURRENCY'];
  const concurrency = concurrencyText === undefined ? availableParallelism() : Number(concurrencyText);
  if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > 256) {
    problems.push('EARMARK_CONCURRENCY: must be an integer from 1 to 256');
  }
  const tagOnIngest = isOn(environment, 'EARMARK_TAG_ON_INGEST', problems);
  const analyzeOnIngest = isOn(environment, 'EARMARK_ANALYZE_ON_INGEST', problems);
  const keepAudio = isOn(environment, 'EARMARK_KEEP_AUDIO', problems);
  const elasticsearch = elasticsearchSettingsFrom(
    environment,
    (name) => secret(environment, name, problems),
    problems,
  );
  const headIndex = headIndexFrom(environment, elasticsearch !== undefined, problems);
  if (problems.length > 0) throw new SettingsError(problems.join('; '));
  const ffmpegPath = environment['EARMARK_FFMPEG'];
  const modelFolders = (environment['EARMARK_MODELS'] ?? '').split(delimiter).filter((text) => text !== '');
  return {
    concurrency,
    tagOnIngest,
    analyzeOnIngest,
    keepAudio,
    modelFolders,
    headIndex,
    ...(databaseUrl === undefined ? {} : { databaseUrl }),
    ...(elasticsearch === undefined ? {} : { elasticsearch }),
    ...(ffmpegPath === undefined ? {} : { ffmpegPath }),
  };
}

function headIndexFrom(environment: Environment, hasCluster: boolean, problems: string[]): HeadIndexPlace {
  const place = environment['EARMARK_HEAD_INDEX'] ?? 'memory';
  if (place !== 'memory' && place !== 'elasticsearch') {
    problems.push('EARMARK_HEAD_INDEX: must be memory or elasticsearch');
    return 'memory';
  }
  if (place === 'elasticsearch' && !hasCluster)
    problems.push('EARMARK_HEAD_INDEX: elasticsearch needs the fingerprint index there, too');
  return place;
}

function isOn(environment: Environment, name: string, problems: string[]): boolean {
  const text = environment[name] ?? 'true';
  if (text !== 'true' && text !== 'false') problems.push(`${name}: must be true or false`);
  return text === 'true';
}

function secret(environment: Environment, name: string, problems: string[]): string | undefined {
  const file = environment[`${name}_FILE`];
  if (file === undefined) return environment[name];
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    problems.push(`${name}_FILE: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}
