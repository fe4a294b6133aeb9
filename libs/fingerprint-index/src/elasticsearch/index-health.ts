import type { Client } from '@elastic/elasticsearch';
import type { IndexHealth } from '../port.js';
import { indexError } from './errors.js';

const statusOf = {
  green: 'ok',
  yellow: 'degraded',
  red: 'down',
  unknown: 'down',
  unavailable: 'down',
} as const;

/**
 * Asks a cluster how an index is: red is `down` (chunks without any copy), yellow or blocked for writes is `degraded`, and
 * so is a cluster that cannot be reached `down`. Never throws.
 */
export async function healthOf(client: Client, name: string): Promise<IndexHealth> {
  try {
    return await ask(client, name);
  } catch (error) {
    const { code, message } = indexError(error);
    const details = { engine: 'elasticsearch', problem: `${message} [${code}]` };
    return { status: 'down', tracks: 0, chunks: 0, landmarks: 0, bytes: 0, details };
  }
}

async function ask(client: Client, name: string): Promise<IndexHealth> {
  const options = { requestTimeout: 10_000, maxRetries: 1 } as const;
  const [cluster, settings, nodes] = await Promise.all([
    client.cluster.health({ index: name, timeout: '1s' }, options),
    client.indices.getSettings({ index: name, name: 'index.blocks.*', flat_settings: true }, options),
    client.cat.nodes({ format: 'json', h: ['version'] }, options),
  ]);
  const status = statusOf[cluster.status.toLowerCase() as keyof typeof statusOf] ?? 'down';
  const blocked = Object.entries(settings).find(([, { settings: own }]) => isBlocked(own));
  const about = {
    engine: 'elasticsearch',
    index: Object.keys(settings).join(' '),
    version: [...new Set(nodes.map(({ version }) => version))].join(' '),
    nodes: cluster.number_of_nodes,
    shards: cluster.active_shards,
    missingShards: cluster.unassigned_shards + cluster.initializing_shards,
  };
  if (status === 'down') {
    const details = { ...about, problem: `the cluster is ${cluster.status.toLowerCase()} for this index` };
    return { status, tracks: 0, chunks: 0, landmarks: 0, bytes: 0, details };
  }
  return {
    status: blocked === undefined ? status : 'degraded',
    ...(await sizeOf(client, name)),
    details:
      blocked === undefined ? about : { ...about, problem: `${blocked[0]} takes no writes (disk full?)` },
  };
}

function isBlocked(settings: unknown): boolean {
  if (typeof settings !== 'object' || settings === null) return false;
  return Object.entries(settings).some(
    ([key, value]) => key.startsWith('index.blocks.') && String(value) === 'true',
  );
}

async function sizeOf(
  client: Client,
  name: string,
): Promise<Pick<IndexHealth, 'tracks' | 'chunks' | 'landmarks' | 'bytes'>> {
  const [counted, stats] = await Promise.all([
    client.search<unknown, { tracks: { doc_count: number }; landmarks: { value: number } }>({
      index: name,
      size: 0,
      track_total_hits: true,
      query: { exists: { field: 'chunk' } },
      aggs: { tracks: { filter: { term: { chunk: 0 } } }, landmarks: { sum: { field: 'landmarks' } } },
    }),
    client.indices.stats({ index: name, metric: 'store' }),
  ]);
  const { total } = counted.hits;
  return {
    tracks: counted.aggregations?.tracks.doc_count ?? 0,
    chunks: typeof total === 'number' ? total : (total?.value ?? 0),
    landmarks: counted.aggregations?.landmarks.value ?? 0,
    bytes: stats._all.total?.store?.size_in_bytes ?? 0,
  };
}
