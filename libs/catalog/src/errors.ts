import { DomainError } from '@earmark/kernel';

/** Codes of {@link CatalogConflictError}. */
export type CatalogConflictCode = 'catalog.ref-taken' | 'catalog.version-changed' | 'catalog.duplicate';

/** A change that collides with what is stored; `pointer` is the JSON pointer of the field, `trackId` the holder. */
export class CatalogConflictError extends DomainError {
  constructor(
    readonly code: CatalogConflictCode,
    message: string,
    readonly pointer?: string,
    readonly trackId?: string,
  ) {
    super(message);
  }
}
