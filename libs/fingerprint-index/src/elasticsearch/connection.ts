import { Client } from '@elastic/elasticsearch';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { IndexUnavailableError, indexError } from './errors.js';

/** How to reach a cluster. */
export type ElasticsearchConnection = Readonly<{
  /** HTTP addresses of nodes; several let requests go on when one is gone. User and password may be part of them. */
  nodes: readonly string[];
  /** API key, instead of user and password. */
  apiKey?: string;
  /** PEM file of the authority that signed the cluster's certificates; absent: those of the system. */
  caFile?: string;
}>;

/** Milliseconds after which a write is given up. A single request can only shorten it. */
const writeTimeoutMs = 120_000;

/** Opens a client; nothing is sent yet. */
export function openClient({ nodes, apiKey, caFile }: ElasticsearchConnection): Client {
  return new Client({
    nodes: [...nodes],
    maxRetries: 2,
    requestTimeout: writeTimeoutMs,
    sniffOnStart: false,
    ...(apiKey === undefined ? {} : { auth: { apiKey } }),
    ...(caFile === undefined ? {} : { tls: { ca: readFileSync(caFile), rejectUnauthorized: true } }),
  });
}

/** Options of a request that somebody waits for. */
export const prompt = { requestTimeout: 30_000 } as const;

/** How long a refused write is repeated before the caller hears of it. */
export type RetryPolicy = Readonly<{ attempts: number; firstDelayMs: number; longestDelayMs: number }>;

/** About a quarter of a minute: a node that left, a queue that is full. Longer is the outbox's matter. */
export const defaultRetry: RetryPolicy = { attempts: 7, firstDelayMs: 250, longestDelayMs: 4000 };

/** Waits before attempt number `attempt` (from 1), twice as long each time. */
export async function backOff(policy: RetryPolicy, attempt: number): Promise<void> {
  await sleep(Math.min(policy.longestDelayMs, policy.firstDelayMs * 2 ** (attempt - 1)));
}

/**
 * Runs a request, again while the cluster is out of reach or busy.
 *
 * @throws {IndexUnavailableError} when it stays so
 * @throws {DomainError} at once for answers that a repetition does not change
 */
export async function persistently<T>(policy: RetryPolicy, request: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await request();
    } catch (error) {
      const known = indexError(error);
      if (!(known instanceof IndexUnavailableError) || attempt >= policy.attempts) throw known;
      await backOff(policy, attempt);
    }
  }
}
