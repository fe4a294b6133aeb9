import { DomainError } from '@earmark/kernel';

/** Another process (or another handle of this one) writes to the index; readers are not affected. */
export class IndexLockedError extends DomainError {
  readonly code = 'index.locked';

  constructor(
    readonly directory: string,
    /** Who holds the lock, in words. */
    readonly holder: string,
  ) {
    super(
      `the index in ${directory} is being written by ${holder}; open it for reading or stop that process`,
    );
  }
}

/** A file of the index does not hold what was written to it. The index can be rebuilt from the database. */
export class IndexCorruptError extends DomainError {
  readonly code = 'index.corrupt';

  constructor(
    readonly file: string,
    /** Byte offset of the block that fails its check. */
    readonly offset: number,
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super(`${file} is damaged at byte ${offset}: ${reason}`, options);
  }
}

/** The index was made by another fingerprint configuration or format version; rebuild it or open it with that one. */
export class IndexConfigMismatchError extends DomainError {
  readonly code = 'index.config-mismatch';

  constructor(
    readonly file: string,
    readonly expected: string,
    readonly actual: string,
  ) {
    super(`${file} was made by ${actual}, expected ${expected}`);
  }
}

/** A write on an index that was opened for reading, or any call after `close()`. */
export class IndexStateError extends DomainError {
  readonly code = 'index.bad-state';
}

/** A chunk that cannot be stored: arrays of unequal length, frames out of range, parts of one track in disorder. */
export class IndexInputError extends DomainError {
  readonly code = 'index.bad-chunk';

  constructor(
    readonly trackId: string,
    readonly chunk: number,
    readonly reason: string,
  ) {
    super(`chunk ${chunk} of ${trackId}: ${reason}`);
  }
}
