import type { ElasticsearchConnection } from '@earmark/fingerprint-index';
import { existsSync } from 'node:fs';

/** The cluster that holds the fingerprint index, and how the index lies in it. */
export type ElasticsearchSettings = Readonly<{
  connection: ElasticsearchConnection;
  /** Start of the names of all indexes. */
  prefix: string;
  /** Shards of an index that is made from now on. */
  shards: number;
  /** Copies, `MIN-MAX` by the number of nodes. */
  replicas: string;
}>;

type Environment = Readonly<Record<string, string | undefined>>;

const mostShards = 1024;

/**
 * Reads `EARMARK_INDEX`, `ELASTICSEARCH_URL`, `ELASTICSEARCH_CA_FILE`, `EARMARK_ELASTICSEARCH_PREFIX`,
 * `EARMARK_ELASTICSEARCH_SHARDS` and `EARMARK_ELASTICSEARCH_REPLICAS`.
 *
 * @param secret reads a variable that may be given as a file
 * @param problems takes a sentence for every bad variable
 * @returns absent: the embedded index
 */
export function elasticsearchSettingsFrom(
  environment: Environment,
  secret: (name: string) => string | undefined,
  problems: string[],
): ElasticsearchSettings | undefined {
  const url = secret('ELASTICSEARCH_URL') || undefined;
  const apiKey = secret('ELASTICSEARCH_API_KEY');
  const chosen = environment['EARMARK_INDEX'] ?? (url === undefined ? 'embedded' : 'elasticsearch');
  if (chosen !== 'embedded' && chosen !== 'elasticsearch')
    problems.push('EARMARK_INDEX: must be embedded or elasticsearch');
  if (chosen !== 'elasticsearch') return undefined;
  const nodes = (url ?? '').split(',').map((node) => node.trim());
  if (url === undefined) problems.push('ELASTICSEARCH_URL: is needed for EARMARK_INDEX=elasticsearch');
  else if (!nodes.every(isHttpUrl))
    problems.push('ELASTICSEARCH_URL: must be http:// or https:// addresses, separated by commas');
  const caFile = environment['ELASTICSEARCH_CA_FILE'];
  if (caFile !== undefined && !existsSync(caFile))
    problems.push('ELASTICSEARCH_CA_FILE: there is no such file');
  const prefix = environment['EARMARK_ELASTICSEARCH_PREFIX'] ?? 'earmark';
  if (!/^[a-z0-9][a-z0-9_-]{0,30}$/.test(prefix))
    problems.push(
      'EARMARK_ELASTICSEARCH_PREFIX: must be up to 31 lower-case letters, digits, - and _, and begin with a letter or digit',
    );
  const shards = Number(environment['EARMARK_ELASTICSEARCH_SHARDS'] ?? 3);
  if (!Number.isInteger(shards) || shards < 1 || shards > mostShards)
    problems.push(`EARMARK_ELASTICSEARCH_SHARDS: must be an integer from 1 to ${mostShards}`);
  const replicas = environment['EARMARK_ELASTICSEARCH_REPLICAS'] ?? '0-1';
  if (!/^\d+-(\d+|all)$/.test(replicas))
    problems.push('EARMARK_ELASTICSEARCH_REPLICAS: must be MIN-MAX, such as 0-1 or 1-2');
  const connection = {
    nodes,
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(caFile === undefined ? {} : { caFile }),
  };
  return { connection, prefix, shards, replicas };
}

function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}
