import type { Client } from '@elastic/elasticsearch';
import { backOff, type RetryPolicy } from './connection.js';
import {
  IndexFullError,
  IndexGoneError,
  indexError,
  IndexRefusedError,
  IndexUnavailableError,
} from './errors.js';

/** Where documents go: a name, and whether it must be an alias (so that a lost index is not made anew by a write). */
export type BulkTarget = Readonly<{ name: string; isAlias: boolean }>;

/** One line (deletion) or two (document) of a bulk request, already encoded. */
export type BulkAction = Readonly<{ lines: string; bytes: number }>;

/** Bytes of a bulk request: about a hundred chunks. Larger ones make a node's memory the limit, not its cores. */
const requestBytes = 6_000_000;

/** Encodes a deletion that a later write of the same document outlives. */
export function deleteAction(id: string, routing: string, version: number): BulkAction {
  const about = { _id: id, routing, version, version_type: 'external_gte' };
  const lines = JSON.stringify({ delete: about });
  return { lines, bytes: lines.length };
}

/** Encodes a document; `source` is JSON. */
export function indexAction(id: string, routing: string, version: number, source: string): BulkAction {
  const about = { _id: id, routing, version, version_type: 'external_gte' };
  const lines = `${JSON.stringify({ index: about })}\n${source}`;
  return { lines, bytes: lines.length };
}

/**
 * Sends actions in order, a request at a time: the next one leaves when the cluster has taken the one before, which is
 * what keeps a busy cluster from being flooded. Refused parts are sent again, each time after a longer pause.
 *
 * @throws {IndexUnavailableError} when parts are still refused after the last attempt
 * @throws {IndexFullError} when the index is blocked for writes
 * @throws {IndexGoneError} when the index does not exist
 * @throws {IndexRefusedError} when a document can never be stored
 */
export async function writeBulk(
  client: Client,
  target: BulkTarget,
  actions: readonly BulkAction[],
  retry: RetryPolicy,
): Promise<void> {
  for (let from = 0; from < actions.length;) {
    let bytes = 0;
    let to = from;
    while (to < actions.length && (to === from || bytes + actions[to].bytes <= requestBytes)) {
      bytes += actions[to++].bytes;
    }
    await writeRequest(client, target, actions.slice(from, to), retry);
    from = to;
  }
}

async function writeRequest(
  client: Client,
  target: BulkTarget,
  all: readonly BulkAction[],
  retry: RetryPolicy,
): Promise<void> {
  let actions = all;
  for (let attempt = 1; ; attempt++) {
    let problem: Error;
    try {
      const refused = await send(client, target, actions);
      if (refused.length === 0) return;
      // From the first refused action on, so that the actions of one document keep their order.
      actions = actions.slice(refused[0].position);
      problem = refused[0].error;
    } catch (error) {
      problem = indexError(error);
    }
    if (!(problem instanceof IndexUnavailableError) || attempt >= retry.attempts) throw problem;
    await backOff(retry, attempt);
  }
}

async function send(
  client: Client,
  target: BulkTarget,
  actions: readonly BulkAction[],
): Promise<{ position: number; error: Error }[]> {
  const answer = await client.bulk<string>({
    index: target.name,
    require_alias: target.isAlias,
    operations: actions.map(({ lines }) => lines),
    filter_path: ['errors', 'items.*.status', 'items.*.error.type', 'items.*.error.reason'],
  });
  if (!answer.errors) return [];
  return answer.items.flatMap((item, position) => {
    const result = item.index ?? item.delete;
    const status = result?.status ?? 0;
    // 409: a later change of the same document is stored already.
    if (result?.error === undefined || status === 409) return [];
    return [{ position, error: refusal(status, result.error.type, result.error.reason ?? '') }];
  });
}

function refusal(status: number, type: string, reason: string): Error {
  const text = `${type}: ${reason}`;
  if (type === 'cluster_block_exception') return new IndexFullError(`the index takes no writes: ${text}`);
  if (type === 'index_not_found_exception') return new IndexGoneError(`the index is gone: ${text}`);
  if (status === 429 || status >= 500) return new IndexUnavailableError(`a write was not taken: ${text}`);
  return new IndexRefusedError(`a document was refused: ${text}`);
}
