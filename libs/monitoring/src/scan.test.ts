import { expect, it } from 'vitest';
import { assertScanTransition, canScanBecome } from './scan.js';

it('lets another attempt run a scan again, but never one that is done', () => {
  for (const from of ['queued', 'running', 'failed', 'cancelled'] as const) {
    expect(canScanBecome(from, 'running')).toBe(true);
  }
  expect(canScanBecome('done', 'running')).toBe(false);
});

it('names a change that cannot be', () => {
  expect(() => assertScanTransition('queued', 'done')).toThrow(
    expect.objectContaining({ code: 'monitoring.bad-transition', pointer: '/state' }) as Error,
  );
});
