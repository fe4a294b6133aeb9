import { expect, it } from 'vitest';
import { RateLimiter } from './rate-limit.js';

it('allows a full bucket at once and then one request for each refilled token', () => {
  const limiter = new RateLimiter(60);
  for (let i = 0; i < 60; i++) expect(limiter.take('a', 0).allowed).toBe(true);
  expect(limiter.take('a', 0)).toEqual({ allowed: false, remaining: 0, resetSeconds: 1 });
  expect(limiter.take('a', 999).allowed).toBe(false);
  expect(limiter.take('a', 1000).allowed).toBe(true);
  expect(limiter.take('b', 0)).toEqual({ allowed: true, remaining: 59, resetSeconds: 1 });
});

it('never holds more than a bucket', () => {
  const limiter = new RateLimiter(2);
  limiter.take('a', 0);
  expect(limiter.take('a', 3_600_000).remaining).toBe(1);
});
