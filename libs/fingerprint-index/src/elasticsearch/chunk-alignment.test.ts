import { chunkFrames } from '@earmark/fingerprint';
import { describe, expect, it } from 'vitest';
import { seededIds, seededQuery, seededTrack } from '../seeded-tracks.js';
import { alignChunks, type ChunkPlace, type ChunkSource } from './chunk-alignment.js';

const trackId = seededIds.track(1);
const track = seededTrack(trackId, 1);
const stored = (limit = track.length): ChunkSource => ({
  chunksAt: (places: readonly ChunkPlace[]) =>
    Promise.resolve(places.flatMap(({ chunk }) => (chunk < limit ? (track[chunk] ?? []) : []))),
});
const startFrame = chunkFrames - 215;
const query = seededQuery(1, { startFrame });

describe('aligning found chunks', () => {
  it('adds the neighbour that the query runs into', async () => {
    const found = [{ trackId, chunk: 0 }];
    const [alone] = await alignChunks(query, found, stored(1), 5);
    const [both] = await alignChunks(query, found, stored(), 5);
    for (const place of [alone, both])
      expect(Math.abs((place.offsetFrames ?? NaN) - startFrame)).toBeLessThan(3);
    expect(both.evidence).toBeGreaterThan(1.5 * alone.evidence);
    const [complete] = await alignChunks(query, [...found, { trackId, chunk: 1 }], stored(), 5);
    expect(complete).toEqual(both);
  });

  it('proposes nothing when the tracks found are gone', async () => {
    expect(await alignChunks(query, [{ trackId, chunk: 0 }], stored(0), 5)).toEqual([]);
  });
});
