import { DomainError } from '@earmark/kernel';

/** What can be wrong with a model. */
export type ModelFault =
  | 'model.not-found'
  | 'model.bad-manifest'
  | 'model.hash-mismatch'
  | 'model.shape-mismatch'
  | 'model.unknown-tag'
  | 'model.unloadable'
  | 'model.duplicate';

/** A model that is missing, or that is not what its manifest says; `folder` is where it was looked for. */
export class ModelError extends DomainError {
  constructor(
    readonly code: ModelFault,
    readonly folder: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(`${folder}: ${message}`, options);
  }
}
