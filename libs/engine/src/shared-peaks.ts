import type { TrackId } from '@earmark/kernel';
import type { PeaksReader } from './peaks-cache.js';
import type { PeaksAnswer } from './search-task.js';

/** Encoded peaks of tracks in memory that all searching threads read, kept while they are used, up to a size. */
export class SharedPeaks implements PeaksReader {
  /** Least recently used first. */
  readonly #kept = new Map<TrackId, Uint8Array>();
  #bytes = 0;

  constructor(
    private readonly store: PeaksReader,
    private readonly maxBytes: number,
  ) {}

  /** Peaks of the tracks; tracks without peaks are left out. */
  async findMany(trackIds: readonly TrackId[]): Promise<PeaksAnswer> {
    const found: { trackId: TrackId; peaks: Uint8Array }[] = [];
    const missing: TrackId[] = [];
    for (const trackId of new Set(trackIds)) {
      const peaks = this.#kept.get(trackId);
      if (peaks === undefined) {
        missing.push(trackId);
        continue;
      }
      this.#kept.delete(trackId);
      this.#kept.set(trackId, peaks);
      found.push({ trackId, peaks });
    }
    if (missing.length > 0) {
      for (const { trackId, peaks } of await this.store.findMany(missing)) {
        const shared = new Uint8Array(new SharedArrayBuffer(peaks.byteLength));
        shared.set(peaks);
        this.#keep(trackId, shared);
        found.push({ trackId, peaks: shared });
      }
    }
    return found;
  }

  /** Forgets a track that was removed. */
  forget(trackId: TrackId): void {
    this.#bytes -= this.#kept.get(trackId)?.byteLength ?? 0;
    this.#kept.delete(trackId);
  }

  #keep(trackId: TrackId, peaks: Uint8Array): void {
    this.forget(trackId);
    this.#kept.set(trackId, peaks);
    this.#bytes += peaks.byteLength;
    for (const oldest of this.#kept.keys()) {
      if (this.#bytes <= this.maxBytes) break;
      this.forget(oldest);
    }
  }
}
