import { DomainError } from '@earmark/kernel';
import { setTimeout as sleep } from 'node:timers/promises';

/** A change that no writer of the index has picked up in time. */
export class IndexStalledError extends DomainError {
  readonly code = 'index.stalled';
}

const pollMs = 50;
const stallMs = 120_000;

/**
 * Asks again and again whether an index has applied what it should.
 *
 * @throws {IndexStalledError} if it has not within two minutes
 */
export async function waitUntilLevel(isLevel: () => Promise<boolean>, signal?: AbortSignal): Promise<void> {
  for (let waitedMs = 0; !(await isLevel()); waitedMs += pollMs) {
    if (waitedMs >= stallMs) throw new IndexStalledError('no process applies changes to the index');
    await sleep(pollMs, undefined, signal === undefined ? {} : { signal });
  }
}
