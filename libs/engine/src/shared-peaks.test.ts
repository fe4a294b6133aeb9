import { type TrackId, makeId } from '@earmark/kernel';
import { describe, expect, it } from 'vitest';
import type { PeaksReader } from './peaks-cache.js';
import { SharedPeaks } from './shared-peaks.js';

const ids = [1, 2, 3].map((n) => makeId('track', n, new Uint8Array(10)));

/** Three tracks of 100 bytes each, and what was asked for. */
class Reader implements PeaksReader {
  readonly asked: TrackId[] = [];

  findMany(trackIds: readonly TrackId[]): ReturnType<PeaksReader['findMany']> {
    this.asked.push(...trackIds);
    const known = trackIds.filter((id) => ids.includes(id));
    return Promise.resolve(
      known.map((trackId) => ({ trackId, peaks: new Uint8Array(100).fill(ids.indexOf(trackId)) })),
    );
  }
}

describe('peaks that threads share', () => {
  it('are read once and lie in shared memory', async () => {
    const reader = new Reader();
    const shared = new SharedPeaks(reader, 1000);
    await shared.findMany(ids);
    const again = await shared.findMany([...ids, ids[0]]);
    expect(reader.asked).toEqual(ids);
    expect(again).toHaveLength(3);
    for (const { trackId, peaks } of again) {
      expect(peaks.buffer).toBeInstanceOf(SharedArrayBuffer);
      expect(peaks).toEqual(new Uint8Array(new SharedArrayBuffer(100)).fill(ids.indexOf(trackId)));
    }
  });

  it('leave out tracks without peaks', async () => {
    const shared = new SharedPeaks(new Reader(), 1000);
    expect(await shared.findMany([makeId('track', 9, new Uint8Array(10))])).toEqual([]);
  });

  it('let go of those not used lately, and of those removed', async () => {
    const reader = new Reader();
    const shared = new SharedPeaks(reader, 250);
    await shared.findMany([ids[0]]);
    await shared.findMany([ids[1]]);
    await shared.findMany([ids[0]]);
    await shared.findMany([ids[2]]);
    await shared.findMany([ids[0]]);
    expect(reader.asked).toEqual(ids);
    await shared.findMany([ids[1]]);
    expect(reader.asked).toEqual([...ids, ids[1]]);
    shared.forget(ids[1]);
    await shared.findMany([ids[1]]);
    expect(reader.asked).toEqual([...ids, ids[1], ids[1]]);
  });
});
