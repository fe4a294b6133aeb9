import { chunkRanges } from '@earmark/fingerprint';
import { afterEach, describe, expect, it } from 'vitest';
import type { FingerprintIndex, IndexCandidate } from './port.js';
import {
  certainEvidence,
  certainTracks,
  seededExcerpt,
  seededIds,
  seededQuery,
  seededTrack,
} from './seeded-tracks.js';

/**
 * What every adapter of {@link FingerprintIndex} does, as vitest tests.
 *
 * @param name of the adapter
 * @param open opens an index that is empty the first time in a test, and afterwards holds what was written in it
 * @param features what the adapter can do beyond the least
 */
export function describeFingerprintIndex(
  name: string,
  open: () => Promise<FingerprintIndex>,
  features: Readonly<{ alignments: boolean }>,
): void {
  describe(`${name} as a fingerprint index`, () => {
    const opened: FingerprintIndex[] = [];
    const openIndex = async (): Promise<FingerprintIndex> => {
      const index = await open();
      opened.push(index);
      return index;
    };
    afterEach(async () => {
      for (const index of opened.splice(0)) await index.close();
    });
    const { track, catalog, tenant } = seededIds;

    it('finds nothing when empty', async () => {
      const index = await openIndex();
      expect(await index.candidates(seededQuery(1), 5)).toEqual([]);
      expect(await index.health()).toMatchObject({ status: 'ok', tracks: 0, chunks: 0, landmarks: 0 });
      expect(await index.appliedSequence()).toBe(0);
    });

    it('finds an excerpt in the track and chunk it comes from', async () => {
      const index = await openIndex();
      for (let n = 1; n <= 8; n++) await index.add(seededTrack(track(n), n));
      for (const startFrame of [0, 1200, 3500]) {
        const [best, second] = await index.candidates(seededQuery(3, { startFrame }), 5);
        expect(best.trackId).toBe(track(3));
        expect(best.evidence).toBeGreaterThan(3 * (second?.evidence ?? 0));
        const chunk = chunkRanges(4300).findIndex(({ end }) => end > startFrame + 215);
        expect(Math.abs(best.chunk - chunk)).toBeLessThanOrEqual(1);
        if (features.alignments) expectAlignment(best, startFrame);
      }
      expect(await certainTracks(index, seededQuery(99))).toEqual([]);
    });

    it('gives at most k candidates, strongest first', async () => {
      const index = await openIndex();
      for (let n = 1; n <= 6; n++) await index.add(seededTrack(track(n), 5));
      const found = await index.candidates(seededQuery(5), 4);
      expect(found).toHaveLength(4);
      expect(found.map(({ evidence }) => evidence)).toEqual(
        found.map(({ evidence }) => evidence).sort((a, b) => b - a),
      );
    });

    it('sees only the tenant and the catalogs asked for', async () => {
      const index = await openIndex();
      await index.add(seededTrack(track(1), 7));
      await index.add(seededTrack(track(2), 7, { catalogId: catalog(2) }));
      await index.add(seededTrack(track(3), 7, { tenantId: tenant(2), catalogId: catalog(3) }));
      expect((await certainTracks(index, seededQuery(7))).sort()).toEqual([track(1), track(2)]);
      expect(await certainTracks(index, seededQuery(7, { catalogIds: [catalog(2)] }))).toEqual([track(2)]);
      expect(await certainTracks(index, seededQuery(7, { tenantId: tenant(2) }))).toEqual([track(3)]);
      expect(await certainTracks(index, seededQuery(7, { tenantId: tenant(3) }))).toEqual([]);
      expect(await certainTracks(index, seededQuery(7, { catalogIds: [] }))).toEqual([]);
    });

    it('does not find a removed track again, and takes it back when it is added again', async () => {
      const index = await openIndex();
      await index.add([...seededTrack(track(1), 1), ...seededTrack(track(2), 2)]);
      await index.remove(track(1));
      await index.remove(track(1));
      await index.remove(track(77));
      expect(await certainTracks(index, seededQuery(1))).toEqual([]);
      expect(await certainTracks(index, seededQuery(2))).toEqual([track(2)]);
      expect(await index.health()).toMatchObject({ tracks: 1, chunks: chunkRanges(4300).length });
      await index.add(seededTrack(track(1), 1));
      expect(await certainTracks(index, seededQuery(1))).toEqual([track(1)]);
    });

    it('replaces a track that is added again, also by a shorter one', async () => {
      const index = await openIndex();
      await index.add(seededTrack(track(1), 1));
      await index.add(seededTrack(track(1), 11, { lengthFrames: 1800 }));
      expect(await certainTracks(index, seededQuery(1))).toEqual([]);
      expect(await certainTracks(index, seededQuery(1, { startFrame: 3000 }))).toEqual([]);
      expect(
        await certainTracks(index, { ...seededQuery(1), landmarks: seededExcerpt(11, 500, 430, 1800) }),
      ).toEqual([track(1)]);
      expect(await index.health()).toMatchObject({ tracks: 1, chunks: 1 });
    });

    it('ends in the same state when a write is repeated', async () => {
      const index = await openIndex();
      for (let i = 0; i < 3; i++) await index.add(seededTrack(track(1), 1));
      const once = await index.health();
      await index.add(seededTrack(track(1), 1));
      const twice = await index.health();
      expect([twice.tracks, twice.chunks, twice.landmarks]).toEqual([
        once.tracks,
        once.chunks,
        once.landmarks,
      ]);
      const found = await index.candidates(seededQuery(1), 10);
      expect(found.filter(({ evidence }) => evidence >= certainEvidence)).toHaveLength(1);
    });

    it('keeps what it has acknowledged when it is opened again', async () => {
      const first = await openIndex();
      await Promise.all([1, 2, 3, 4].map((n) => first.add(seededTrack(track(n), n), { sequence: n })));
      await first.remove(track(2), { sequence: 5 });
      const before = await first.health();
      await first.close();
      const again = await openIndex();
      const after = await again.health();
      expect([after.tracks, after.chunks, after.landmarks]).toEqual([
        before.tracks,
        before.chunks,
        before.landmarks,
      ]);
      expect(await again.appliedSequence()).toBe(5);
      expect(await certainTracks(again, seededQuery(1))).toEqual([track(1)]);
      expect(await certainTracks(again, seededQuery(2))).toEqual([]);
    });

    it('skips what the outbox delivers a second time', async () => {
      const index = await openIndex();
      await index.add(seededTrack(track(1), 1), { sequence: 10 });
      await index.remove(track(1), { sequence: 11 });
      await index.add(seededTrack(track(1), 1), { sequence: 10 });
      expect(await certainTracks(index, seededQuery(1))).toEqual([]);
      expect(await index.appliedSequence()).toBe(11);
      await index.add([], { sequence: 12 });
      expect(await index.appliedSequence()).toBe(12);
    });

    it('answers while tracks are added and removed', async () => {
      const index = await openIndex();
      await index.add(seededTrack(track(1), 1));
      const writes = [2, 3, 4, 5, 6].map(async (n) => {
        await index.add(seededTrack(track(n), n));
        if (n % 2 === 0) await index.remove(track(n));
      });
      const answers = await Promise.all([1, 1, 1].map((seed) => certainTracks(index, seededQuery(seed))));
      expect(answers).toEqual([[track(1)], [track(1)], [track(1)]]);
      await Promise.all(writes);
      expect((await index.health()).tracks).toBe(3);
    });

    it('refuses chunks that cannot be stored and keeps nothing of the call', async () => {
      const index = await openIndex();
      const [chunk] = seededTrack(track(2), 2);
      const { hashes, frames } = chunk.landmarks;
      const broken = {
        ...chunk,
        landmarks: { hashes, frames: frames.subarray(1), details: chunk.landmarks.details },
      };
      await expect(index.add([...seededTrack(track(1), 1), broken])).rejects.toMatchObject({
        code: 'index.bad-chunk',
        trackId: track(2),
      });
      expect((await index.health()).tracks).toBe(0);
    });
  });
}

function expectAlignment(candidate: IndexCandidate, startFrame: number): void {
  expect(Math.abs((candidate.offsetFrames ?? NaN) - startFrame)).toBeLessThan(3);
  expect(candidate.speed).toBeCloseTo(1, 1);
  expect(Math.abs(candidate.pitchCents ?? NaN)).toBeLessThan(40);
}
