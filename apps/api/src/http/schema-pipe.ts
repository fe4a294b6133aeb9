import { type ArgumentMetadata, Injectable, type PipeTransform } from '@nestjs/common';
import { RequestError, type ProblemField } from '@earmark/platform';
import type { z } from 'zod';

/** Turns what Zod found into fields of a problem. */
function fieldsOf(error: z.ZodError, prefix: string): readonly ProblemField[] {
  return error.issues.slice(0, 50).map((issue) => ({
    pointer:
      prefix +
      issue.path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join(''),
    code: `request.${issue.code.replaceAll('_', '-')}`,
    title: issue.message,
  }));
}

/**
 * Checks a value from outside.
 *
 * @param prefix where the value lies: empty for the body, else `query`, `path` or `metadata`
 * @throws {RequestError} `request.invalid` with a pointer for each field
 */
export function parseWith<S extends z.ZodType>(schema: S, value: unknown, prefix = ''): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new RequestError('request.invalid', 'some fields break their rule', fieldsOf(result.error, prefix));
}

const prefixes: Readonly<Record<string, string>> = { body: '', query: 'query', param: 'path' };

/** Checks parameters against the Zod schema that their decorator names. */
@Injectable()
export class SchemaPipe implements PipeTransform {
  transform(value: unknown, metadata: ArgumentMetadata): unknown {
    if (!metadata.schema) return value;
    return parseWith(
      metadata.schema as unknown as z.ZodType,
      value,
      prefixes[metadata.type] ?? metadata.type,
    );
  }
}
