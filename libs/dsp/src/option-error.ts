import { DomainError } from '@earmark/kernel';

/** A parameter of a kernel that is out of its documented range; `option` names it. */
export class DspOptionError extends DomainError {
  readonly code = 'dsp.bad-option';

  constructor(
    readonly option: string,
    rule: string,
    readonly actual: number | string,
  ) {
    super(`${option} must be ${rule}, got ${actual}`);
  }
}

/** @throws {DspOptionError} unless `value` is an integer within `min..max` (both inclusive) */
export function requireInteger(option: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new DspOptionError(option, `an integer from ${min} to ${max}`, value);
  }
}

/** @throws {DspOptionError} unless `value` is a power of two within `min..max` (both inclusive) */
export function requirePowerOfTwo(option: string, value: number, min: number, max: number): void {
  requireInteger(option, value, min, max);
  if ((value & (value - 1)) !== 0) throw new DspOptionError(option, 'a power of two', value);
}
