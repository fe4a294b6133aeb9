import type { Outbox, OutboxEntry, TrackPeaks, TrackPeaksStore } from '@earmark/catalog';
import { chunkRanges, decodePeaks, indexLandmarks } from '@earmark/fingerprint';
import type { FingerprintIndex, IndexChunk } from '@earmark/fingerprint-index';
import type { TrackId } from '@earmark/kernel';

const batchEntries = 64;

/** Cuts a track's stored peaks into the chunks that an index takes. */
export function chunksOf(track: TrackPeaks): IndexChunk[] {
  const peaks = decodePeaks(track.peaks);
  return chunkRanges(peaks.lengthFrames).map((range, chunk) => ({
    tenantId: track.tenantId,
    catalogId: track.catalogId,
    trackId: track.trackId,
    chunk,
    startFrame: range.start,
    landmarks: indexLandmarks(peaks, range),
  }));
}

/**
 * Applies the outbox to the index, in order. The index remembers how far it came; the outbox is told too, so that other
 * processes can wait for it.
 */
export class IndexFeeder {
  #running: Promise<void> | undefined;
  #again: Promise<void> | undefined;
  /** What the outbox was last told. */
  #reported: number | undefined;

  /**
   * @param consumer name of this index in the outbox's positions
   * @param writesTogether whether the index takes writes before the ones in front are done, and stores none behind one
   * that fails; an index that pays for each round trip wants that
   */
  constructor(
    private readonly index: FingerprintIndex,
    private readonly outbox: Outbox,
    private readonly peaks: TrackPeaksStore,
    private readonly consumer: string,
    private readonly writesTogether = false,
  ) {}

  /**
   * Applies everything that was in the outbox when this was called. Calls during a run share the next run, so many
   * writers cost one flush.
   */
  apply(): Promise<void> {
    if (this.#running === undefined) {
      this.#running = this.#drain().finally(() => (this.#running = undefined));
      return this.#running;
    }
    this.#again ??= this.#running
      .catch(() => undefined)
      .then(() => {
        this.#again = undefined;
        return this.apply();
      });
    return this.#again;
  }

  /** Resolves when no run is under way. */
  async settled(): Promise<void> {
    while (this.#running !== undefined) await this.#running.catch(() => undefined);
  }

  /**
   * Adds every track that has peaks to an empty index, then what the outbox got meanwhile.
   *
   * @returns number of tracks added
   */
  async fill(onTrack: (trackId: TrackId) => void, signal?: AbortSignal): Promise<number> {
    const head = await this.outbox.head();
    let tracks = 0;
    let after: TrackId | undefined;
    for (;;) {
      signal?.throwIfAborted();
      const page = await this.peaks.list({ limit: batchEntries, ...(after === undefined ? {} : { after }) });
      const last = page.at(-1);
      if (last === undefined) break;
      await this.#inOrder(page, async (track) => {
        await this.index.add(chunksOf(track));
        onTrack(track.trackId);
      });
      tracks += page.length;
      after = last.trackId;
    }
    await this.#drainAfter(head);
    return tracks;
  }

  async #drain(): Promise<void> {
    await this.#drainAfter(await this.index.appliedSequence());
  }

  async #drainAfter(sequence: number): Promise<void> {
    let after = sequence;
    for (;;) {
      const entries = await this.outbox.read(after, batchEntries);
      const last = entries.at(-1);
      if (last === undefined) break;
      await this.#applyBatch(entries);
      after = last.sequence;
    }
    if (after === this.#reported) return;
    await this.outbox.advance(this.consumer, after);
    this.#reported = after;
  }

  async #applyBatch(entries: readonly OutboxEntry[]): Promise<void> {
    const added = entries.filter(({ op }) => op === 'add').map(({ trackId }) => trackId);
    const stored = new Map((await this.peaks.findMany(added)).map((track) => [track.trackId, track]));
    await this.#inOrder(entries, async (entry) => {
      const track = entry.op === 'add' ? stored.get(entry.trackId) : undefined;
      const { sequence } = entry;
      // A track that was added and removed since has no peaks any more: its remove entry follows.
      if (track === undefined) await this.index.remove(entry.trackId, { sequence });
      else await this.index.add(chunksOf(track), { sequence });
    });
  }

  /** Starts the writes in order, each when the one before is done or, with `writesTogether`, has begun. */
  async #inOrder<T>(items: readonly T[], write: (item: T) => Promise<void>): Promise<void> {
    if (this.writesTogether) await Promise.all(items.map(write));
    else for (const item of items) await write(item);
  }
}
