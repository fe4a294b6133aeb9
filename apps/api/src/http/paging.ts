import { RequestError } from '@earmark/platform';
import { isId, type IdKind, type IdOf } from '@earmark/kernel';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';

/** Longest page of a list. */
export const maxPageLength = 200;

/** Query of every list. */
export const pageQuery = z.object({
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(maxPageLength)
    .default(50)
    .meta({ description: 'Longest page wanted' }),
  cursor: z.string().max(200).optional().meta({ description: 'nextCursor of the page before' }),
});

/** One page of a list. */
export type Page<T> = Readonly<{ data: readonly T[]; nextCursor: string | null }>;

/**
 * Reads a cursor.
 *
 * @throws {RequestError} `request.invalid`
 */
export function readCursor<K extends IdKind>(kind: K, cursor: string | undefined): IdOf[K] | undefined {
  if (cursor === undefined) return undefined;
  const id = Buffer.from(cursor, 'base64url').toString('utf8');
  if (isId(kind, id)) return id;
  throw new RequestError('request.invalid', 'the cursor is none of ours', [
    { pointer: 'query/cursor', code: 'request.bad-cursor', title: 'use nextCursor of the page before' },
  ]);
}

/**
 * Makes a page of one entry more than was asked for, and the `Link` header to the next.
 *
 * @param entries at most `limit + 1` entries
 */
export function toPage<T extends Readonly<{ id: string }>, R>(
  request: FastifyRequest,
  reply: FastifyReply,
  entries: readonly T[],
  limit: number,
  toResource: (entry: T) => R,
): Page<R> {
  const shown = entries.slice(0, limit);
  const last = shown.at(-1);
  const nextCursor = entries.length > limit && last ? Buffer.from(last.id).toString('base64url') : null;
  if (nextCursor !== null) {
    const next = new URL(request.url, 'http://localhost');
    next.searchParams.set('cursor', nextCursor);
    void reply.header('link', `<${next.pathname}${next.search}>; rel="next"`);
  }
  return { data: shown.map(toResource), nextCursor };
}
