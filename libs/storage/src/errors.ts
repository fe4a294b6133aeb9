import { DomainError } from '@earmark/kernel';

/** Codes of {@link StorageError}. */
export type StorageErrorCode =
  | 'storage.no-embedded-server'
  | 'storage.server-failed'
  | 'storage.folder-not-ours'
  | 'storage.unreachable'
  | 'storage.migration-changed'
  | 'storage.migration-failed';

/** The database cannot be used; the message says what to do about it. */
export class StorageError extends DomainError {
  constructor(
    readonly code: StorageErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
