import { decodePeaks, type Peaks } from '@earmark/fingerprint';
import type { TrackId } from '@earmark/kernel';

/** Where encoded peaks come from. */
export interface PeaksReader {
  /** Peaks of many tracks at once, in no order; tracks without peaks are left out. */
  findMany(
    trackIds: readonly TrackId[],
  ): Promise<readonly Readonly<{ trackId: TrackId; peaks: Uint8Array }>[]>;
}

/** Bytes of memory that one decoded peak takes. */
const bytesPerPeak = 13;

/** Decoded peaks of tracks, read when first needed and kept while they are used, up to a size. */
export class PeaksCache {
  /** Least recently used first. */
  readonly #kept = new Map<TrackId, Peaks>();
  #bytes = 0;

  constructor(
    private readonly store: PeaksReader,
    private readonly maxBytes: number,
  ) {}

  /** Peaks of the tracks; ids without peaks are left out. */
  async get(trackIds: readonly TrackId[]): Promise<ReadonlyMap<TrackId, Peaks>> {
    const found = new Map<TrackId, Peaks>();
    const missing: TrackId[] = [];
    for (const id of new Set(trackIds)) {
      const peaks = this.#kept.get(id);
      if (peaks === undefined) {
        missing.push(id);
        continue;
      }
      this.#kept.delete(id);
      this.#kept.set(id, peaks);
      found.set(id, peaks);
    }
    if (missing.length > 0) {
      for (const { trackId, peaks } of await this.store.findMany(missing)) {
        const decoded = decodePeaks(peaks);
        this.#keep(trackId, decoded);
        found.set(trackId, decoded);
      }
    }
    return found;
  }

  /** Forgets a track that was removed or changed. */
  forget(trackId: TrackId): void {
    const peaks = this.#kept.get(trackId);
    if (peaks === undefined) return;
    this.#kept.delete(trackId);
    this.#bytes -= peaks.frames.length * bytesPerPeak;
  }

  #keep(trackId: TrackId, peaks: Peaks): void {
    this.forget(trackId);
    this.#kept.set(trackId, peaks);
    this.#bytes += peaks.frames.length * bytesPerPeak;
    for (const oldest of this.#kept.keys()) {
      if (this.#bytes <= this.maxBytes) break;
      this.forget(oldest);
    }
  }
}
