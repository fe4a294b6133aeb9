import { execFileSync } from 'node:child_process';
import { InvalidValueError } from '@earmark/kernel';
import { expect, it } from 'vitest';
import { problemTable, RequestError, statusOf, toProblem } from './problem.js';

/** Codes that are never an answer's own: of fields and rows, of the command line, or the end of a process. */
const neverAnswered = new Set([
  'config.invalid',
  'import.field-count',
  'import.bad-json',
  'import.bad-type',
  'import.bad-rows',
  'import.no-path',
  'request.invalid-value',
  'request.bad-cursor',
  'kernel.bad-shape',
  'storage.no-embedded-server',
  'storage.server-failed',
  'storage.folder-not-ours',
  'storage.migration-changed',
  'storage.migration-failed',
]);

it('has a status for every code of input and catalog in the sources', () => {
  const root = new URL('../../../', import.meta.url).pathname;
  const areas = 'auth|request|catalog|scan|job|key|upload|import|idempotency|media|kernel|storage|config';
  const found = execFileSync(
    'grep',
    [
      '-rhoE',
      '--include=*.ts',
      '--exclude=*.test.ts',
      `'(${areas})\\.[a-z]+(-[a-z]+)*'`,
      'libs',
      'apps/api',
      'apps/worker',
    ],
    { cwd: root, encoding: 'utf8' },
  );
  const codes = new Set(
    found
      .split('\n')
      .map((line) => line.slice(1, -1))
      .filter((code) => code !== ''),
  );
  const missing = [...codes].filter((code) => !Object.hasOwn(problemTable, code) && !neverAnswered.has(code));
  expect(missing).toEqual([]);
});

it('tells the sender about known errors and nothing about others', () => {
  expect(toProblem(new InvalidValueError('catalog.bad-isrc', '/isrc', 'no ISRC'), 'r1')).toMatchObject({
    status: 422,
    code: 'catalog.bad-isrc',
    detail: 'no ISRC',
    request_id: 'r1',
    errors: [{ pointer: '/isrc' }],
  });
  const secret = toProblem(new Error('password is hunter2'), 'r2');
  expect(secret).toMatchObject({ status: 500, code: 'internal' });
  expect(JSON.stringify(secret)).not.toContain('hunter2');
  expect(statusOf('no.such-code')).toBe(500);
  expect(toProblem(new RequestError('request.too-large', 'x'), 'r3').status).toBe(413);
});
