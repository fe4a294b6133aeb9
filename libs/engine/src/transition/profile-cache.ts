import type { TenantId, TrackId } from '@earmark/kernel';
import type { Side, StoredProfile, StoredSeam, TransitionStore } from '@earmark/transition';
import { TrackCache } from './track-cache.js';

/** Profiles kept: about 100 MB. */
const mostProfiles = 20_000;
/** Tracks whose heads, or tails, are kept: about 1 kB a seam, two to six of them a track. */
const mostSeams = 40_000;

/** Profiles and seams of tracks as the database has them, at most as old as the last change that was told. */
export class ProfileCache {
  readonly #profiles: TrackCache<StoredProfile>;
  readonly #seams: Readonly<Record<Side, TrackCache<readonly StoredSeam[]>>>;

  constructor(store: TransitionStore) {
    const seamsOf = (side: Side): TrackCache<readonly StoredSeam[]> =>
      new TrackCache(
        async (tenantId, ids) =>
          Map.groupBy(await store.seams(tenantId, ids, side), ({ trackId }) => trackId),
        mostSeams,
      );
    this.#profiles = new TrackCache(
      async (tenantId, ids) => (await store.find(tenantId, ids)).map((profile) => [profile.trackId, profile]),
      mostProfiles,
    );
    this.#seams = { head: seamsOf('head'), tail: seamsOf('tail') };
  }

  /** Profiles of a tenant's tracks; tracks without one are left out. */
  get(tenantId: TenantId, trackIds: readonly TrackId[]): Promise<ReadonlyMap<TrackId, StoredProfile>> {
    return this.#profiles.get(tenantId, trackIds);
  }

  /** Heads, or tails, of a tenant's tracks in order of time; tracks without any are left out. */
  seams(
    tenantId: TenantId,
    trackIds: readonly TrackId[],
    side: Side,
  ): Promise<ReadonlyMap<TrackId, readonly StoredSeam[]>> {
    return this.#seams[side].get(tenantId, trackIds);
  }

  /** Forgets all tracks. */
  clear(): void {
    for (const cache of this.#caches()) cache.clear();
  }

  /** Forgets a track that was removed or changed. */
  forget(trackId: TrackId): void {
    for (const cache of this.#caches()) cache.forget(trackId);
  }

  #caches(): readonly Pick<TrackCache<unknown>, 'clear' | 'forget'>[] {
    return [this.#profiles, this.#seams.head, this.#seams.tail];
  }
}
