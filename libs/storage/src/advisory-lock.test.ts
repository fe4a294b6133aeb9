import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PgWorkLock } from './advisory-lock.js';
import { openTestDatabase, type TestDatabase } from './testing.js';

describe('PgWorkLock', () => {
  let test: TestDatabase;
  beforeAll(async () => {
    test = await openTestDatabase();
  });
  afterAll(() => test.end());

  it('lets one at a time do the work, and the next one when it is done or has failed', async () => {
    const lock = new PgWorkLock(test.database.pool);
    let second: boolean | undefined;
    const first = await lock.tryRun('index-feed', async () => {
      second = await lock.tryRun('index-feed', async () => undefined);
      expect(await lock.tryRun('index-build', async () => undefined)).toBe(true);
    });
    expect([first, second]).toEqual([true, false]);
    await expect(
      lock.tryRun('index-feed', () => Promise.reject(new Error('the work failed'))),
    ).rejects.toThrow('the work failed');
    expect(await lock.tryRun('index-feed', async () => undefined)).toBe(true);
  });
});
