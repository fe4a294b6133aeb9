import { type Peaks, chunkRanges, indexLandmarks } from '@earmark/fingerprint';
import type { ChunkPlace, ChunkSource, FoundChunk } from '@earmark/fingerprint-index';
import type { TrackId } from '@earmark/kernel';
import type { PeaksCache } from './peaks-cache.js';

/** Chunks kept in memory: about 90 kB each. */
const keptChunks = 1500;

/** Chunks of tracks as an index has them, made of the stored peaks, and kept while they are used. */
export class StoredChunks implements ChunkSource {
  /** Least recently used first; with the peaks that the chunk was made of, which tell when a track has changed. */
  readonly #kept = new Map<string, { peaks: Peaks; chunk: FoundChunk }>();

  constructor(private readonly cache: PeaksCache) {}

  async chunksAt(places: readonly ChunkPlace[]): Promise<readonly FoundChunk[]> {
    const stored = await this.cache.get(places.map(({ trackId }) => trackId));
    return places.flatMap(({ trackId, chunk }) => {
      const peaks = stored.get(trackId);
      return peaks === undefined ? [] : (this.#chunkOf(trackId, chunk, peaks) ?? []);
    });
  }

  #chunkOf(trackId: TrackId, chunk: number, peaks: Peaks): FoundChunk | undefined {
    const key = `${trackId}/${chunk}`;
    const kept = this.#kept.get(key);
    if (kept?.peaks === peaks) {
      this.#kept.delete(key);
      this.#kept.set(key, kept);
      return kept.chunk;
    }
    const range = chunkRanges(peaks.lengthFrames)[chunk];
    if (range === undefined) return undefined;
    const made = {
      trackId,
      chunk,
      startFrame: range.start,
      landmarks: indexLandmarks(peaks, range),
    };
    this.#kept.set(key, { peaks, chunk: made });
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= keptChunks) break;
      this.#kept.delete(oldest);
    }
    return made;
  }
}
