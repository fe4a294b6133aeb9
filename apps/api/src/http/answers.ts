import { applyDecorators } from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiResponse } from '@nestjs/swagger';
import type { z } from 'zod';
import { problemSchema } from '../resources.js';
import { NeedsScope, type Scope } from './principal.js';

/** Texts of the statuses that errors come with. */
const errorTexts: Readonly<Record<number, string>> = {
  400: 'Malformed request',
  404: 'There is no such thing',
  409: 'Collides with what is there',
  412: 'Changed meanwhile',
  413: 'Past a limit of size',
  415: 'A type that is not accepted',
  422: 'Breaks a rule; `errors` names the fields',
  503: 'Cannot be done now',
};

/** One answer of a route that ends well. */
export type Answer = Readonly<{
  status: number;
  description: string;
  schema?: z.ZodType;
  /** Names of headers worth telling of. */
  headers?: readonly string[];
}>;

/**
 * Describes a route: the scope it needs (or several, one of which is enough), how it answers well, and with which statuses it fails; 401, 403 and 429 go
 * without saying for routes with a scope.
 */
export function Route(
  scope: Scope | readonly Scope[] | undefined,
  answers: readonly Answer[],
  errors: readonly number[] = [],
): MethodDecorator {
  const statuses = scope === undefined ? errors : [...errors, 401, 403, 429];
  return applyDecorators(
    ...(scope === undefined
      ? []
      : [NeedsScope(typeof scope === 'string' ? [scope] : scope), ApiBearerAuth()]),
    ...answers.map(({ status, description, schema, headers }) =>
      ApiResponse({
        status,
        description,
        ...(schema && { standardSchema: schema }),
        ...(headers && {
          headers: Object.fromEntries(headers.map((name) => [name, { schema: { type: 'string' } as const }])),
        }),
      }),
    ),
    ...[...new Set(statuses)].sort().map((status) =>
      ApiResponse({
        status,
        description:
          errorTexts[status] ?? (status === 429 ? 'Too many requests' : 'The key does not allow this'),
        standardSchema: problemSchema,
      }),
    ),
  );
}

/** Names the header that makes a write safe to repeat. */
export const Repeatable = (): MethodDecorator =>
  ApiHeader({
    name: 'Idempotency-Key',
    required: false,
    description: 'A repeat with the same key within a day gets the first answer again',
    schema: { type: 'string', maxLength: 255 },
  });

/** Names the header that makes a request wait for its job. */
export const MayWait = (): MethodDecorator =>
  ApiHeader({
    name: 'Prefer',
    required: false,
    description: '`wait=N`: wait up to N seconds (at most 60) for the work to end',
    schema: { type: 'string' },
  });
