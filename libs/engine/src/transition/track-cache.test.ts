import { makeId, type TrackId } from '@earmark/kernel';
import { expect, it } from 'vitest';
import { TrackCache } from './track-cache.js';

const noBytes = new Uint8Array(10);
const tenant = makeId('tenant', 1, noBytes);
const track = (n: number): TrackId => makeId('track', n, noBytes);

/** A cache of the times that tracks were read. */
function counting(most: number): { cache: TrackCache<number>; reads: Map<TrackId, number> } {
  const reads = new Map<TrackId, number>();
  const cache = new TrackCache<number>((_tenant, ids) => {
    for (const id of ids) reads.set(id, (reads.get(id) ?? 0) + 1);
    return Promise.resolve(ids.map((id) => [id, reads.get(id) ?? 0] as const));
  }, most);
  return { cache, reads };
}

it('reads a track once, and again when it was forgotten or belongs to somebody else', async () => {
  const { cache } = counting(10);
  await cache.get(tenant, [track(1), track(2)]);
  expect([...(await cache.get(tenant, [track(1)])).values()]).toEqual([1]);
  cache.forget(track(1));
  expect([...(await cache.get(tenant, [track(1), track(2)])).values()].sort()).toEqual([1, 2]);
  expect([...(await cache.get(makeId('tenant', 2, noBytes), [track(2)])).values()]).toEqual([2]);
});

it('keeps what it is told, and of all the tracks those used last', async () => {
  const { cache, reads } = counting(2);
  cache.put(tenant, track(1), 100);
  cache.put(tenant, track(2), 200);
  expect([...(await cache.get(tenant, [track(1)])).values()]).toEqual([100]);
  cache.put(tenant, track(3), 300);
  await cache.get(tenant, [track(1), track(2), track(3)]);
  expect([...reads.keys()]).toEqual([track(2)]);
});

it('keeps nothing that was read before a track was forgotten', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  let value = 'old';
  const cache = new TrackCache<string>(async (_tenant, ids) => {
    const read = value;
    await promise;
    return ids.map((id) => [id, read] as const);
  }, 10);
  const slow = cache.get(tenant, [track(1)]);
  value = 'new';
  cache.forget(track(1));
  resolve();
  await slow;
  expect([...(await cache.get(tenant, [track(1)])).values()]).toEqual(['new']);
});
