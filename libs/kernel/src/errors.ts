/**
 * Base of every error that Earmark raises on purpose.
 *
 * `code` is stable and machine-readable (`area.what`); callers branch on it, never on the message.
 */
export abstract class DomainError extends Error {
  abstract readonly code: string;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** A programming or input error in the shape of an array argument. */
export class ShapeError extends DomainError {
  readonly code = 'kernel.bad-shape';

  constructor(
    readonly argument: string,
    readonly expected: string,
    readonly actual: number,
  ) {
    super(`${argument}: expected ${expected}, got ${actual}`);
  }
}

/** A value that does not satisfy its field's rule; `pointer` is the JSON pointer of the field. */
export class InvalidValueError extends DomainError {
  readonly code: string;

  constructor(
    code: string,
    readonly pointer: string,
    message: string,
  ) {
    super(message);
    this.code = code;
  }
}

/** Gives the stable code of an error, or `internal` for anything that is not a {@link DomainError}. */
export function errorCode(error: unknown): string {
  return error instanceof DomainError ? error.code : 'internal';
}
