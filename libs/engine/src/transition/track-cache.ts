import type { TenantId, TrackId } from '@earmark/kernel';

/** What is known of tracks, read when first needed and kept while it is used. */
export class TrackCache<T> {
  /** Least recently used first. */
  readonly #kept = new Map<TrackId, { readonly tenantId: TenantId; readonly value: T }>();
  readonly #read: (
    tenantId: TenantId,
    trackIds: readonly TrackId[],
  ) => Promise<Iterable<readonly [TrackId, T]>>;
  readonly #most: number;
  /** Grows when something is forgotten: what was being read meanwhile may be old. */
  #forgotten = 0;

  /**
   * @param read gives what there is of a tenant's tracks
   * @param most tracks that are kept
   */
  constructor(
    read: (tenantId: TenantId, trackIds: readonly TrackId[]) => Promise<Iterable<readonly [TrackId, T]>>,
    most: number,
  ) {
    this.#read = read;
    this.#most = most;
  }

  /** What there is of a tenant's tracks; others are left out. */
  async get(tenantId: TenantId, trackIds: readonly TrackId[]): Promise<ReadonlyMap<TrackId, T>> {
    const found = new Map<TrackId, T>();
    const missing: TrackId[] = [];
    for (const id of trackIds) {
      const kept = this.#kept.get(id);
      if (kept?.tenantId !== tenantId) {
        missing.push(id);
        continue;
      }
      this.#kept.delete(id);
      this.#kept.set(id, kept);
      found.set(id, kept.value);
    }
    if (missing.length === 0) return found;
    const before = this.#forgotten;
    for (const [id, value] of await this.#read(tenantId, missing)) {
      found.set(id, value);
      if (before === this.#forgotten) this.#kept.set(id, { tenantId, value });
    }
    this.#trim();
    return found;
  }

  /** Notes what was read elsewhere. */
  put(tenantId: TenantId, trackId: TrackId, value: T): void {
    this.#kept.delete(trackId);
    this.#kept.set(trackId, { tenantId, value });
    this.#trim();
  }

  /** Forgets all tracks. */
  clear(): void {
    this.#forgotten++;
    this.#kept.clear();
  }

  /** Forgets a track that was removed or changed. */
  forget(trackId: TrackId): void {
    this.#forgotten++;
    this.#kept.delete(trackId);
  }

  #trim(): void {
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= this.#most) break;
      this.#kept.delete(oldest);
    }
  }
}
