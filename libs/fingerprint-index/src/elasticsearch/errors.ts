import { DomainError } from '@earmark/kernel';
import { errors } from '@elastic/elasticsearch';

/** The cluster cannot be reached, or the index has shards without any copy: nothing is lost, the work can be repeated. */
export class IndexUnavailableError extends DomainError {
  readonly code = 'index.unavailable';
}

/** The cluster takes no writes because a disk is full (`read_only_allow_delete`) or an operator has blocked it. */
export class IndexFullError extends DomainError {
  readonly code = 'index.full';
}

/** The index does not exist any more: it is made again and filled from the database. */
export class IndexGoneError extends DomainError {
  readonly code = 'index.gone';
}

/** The cluster refuses the credentials or the action. */
export class IndexForbiddenError extends DomainError {
  readonly code = 'index.forbidden';
}

/** The cluster answered in a way that a repetition will not change. */
export class IndexRefusedError extends DomainError {
  readonly code = 'index.refused';
}

/** What the cluster said, as one of the errors of this package. */
export function indexError(error: unknown): DomainError {
  if (error instanceof DomainError) return error;
  const cause = { cause: error };
  const text = error instanceof Error ? error.message : String(error);
  if (error instanceof errors.ResponseError) {
    const status = error.statusCode ?? 0;
    const type = errorType(error);
    if (type === 'cluster_block_exception')
      return new IndexFullError(`the cluster takes no writes: ${text}`, cause);
    if (status === 404) return new IndexGoneError(`the index is gone: ${text}`, cause);
    if (status === 401 || status === 403)
      return new IndexForbiddenError(`the cluster refuses: ${text}`, cause);
    if (status === 429 || status >= 500)
      return new IndexUnavailableError(`the cluster cannot answer: ${text}`, cause);
    return new IndexRefusedError(`the cluster refuses: ${text}`, cause);
  }
  return new IndexUnavailableError(`the cluster cannot be reached: ${text}`, cause);
}

/** True when the answer says that the thing exists already. */
export function isAlreadyThere(error: unknown): boolean {
  return error instanceof errors.ResponseError && errorType(error) === 'resource_already_exists_exception';
}

function errorType(error: errors.ResponseError): string {
  const body: unknown = error.body;
  if (typeof body !== 'object' || body === null || !('error' in body)) return '';
  const { error: inner } = body;
  if (typeof inner !== 'object' || inner === null || !('type' in inner)) return '';
  return typeof inner.type === 'string' ? inner.type : '';
}
