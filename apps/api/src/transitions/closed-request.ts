import type { FastifyRequest } from 'fastify';

/** A signal that is aborted when the sender goes away before it has its answer. */
export function goneMeanwhile({ raw }: FastifyRequest): AbortSignal {
  const gone = new AbortController();
  raw.once('close', () => {
    if (raw.destroyed && !raw.complete) gone.abort();
  });
  return gone.signal;
}
