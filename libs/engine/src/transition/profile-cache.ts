import type { TenantId, TrackId } from '@earmark/kernel';
import type { HeadChange, Side, StoredProfile, StoredSeam, TransitionStore } from '@earmark/transition';
import { TrackCache } from './track-cache.js';

/** Most tracks of which something is kept; 0: it is read anew each time. */
export type ProfileCacheSizes = Readonly<{
  /** 5 to 15 kB a track. */
  profiles: number;
  /** Heads; 1.5 kB each, two to six of them a track. */
  heads: number;
  /** Tails, as large as heads. */
  tails: number;
}>;

/** Keeps nothing. */
export const noProfiles: ProfileCacheSizes = { profiles: 0, heads: 0, tails: 0 };

/** Profiles and seams of tracks as the database has them, at most as old as the last change that was told. */
export class ProfileCache {
  readonly #profiles: TrackCache<StoredProfile>;
  readonly #seams: Readonly<Record<Side, TrackCache<readonly StoredSeam[]>>>;

  constructor(store: TransitionStore, most: ProfileCacheSizes) {
    const seamsOf = (side: Side, mostTracks: number): TrackCache<readonly StoredSeam[]> =>
      new TrackCache(
        async (tenantId, ids) =>
          Map.groupBy(await store.seams(tenantId, ids, side), ({ trackId }) => trackId),
        mostTracks,
      );
    this.#profiles = new TrackCache(
      async (tenantId, ids) => (await store.find(tenantId, ids)).map((profile) => [profile.trackId, profile]),
      most.profiles,
    );
    this.#seams = { head: seamsOf('head', most.heads), tail: seamsOf('tail', most.tails) };
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

  /** Forgets a track that was removed or changed, but for its heads, which the change tells. */
  apply({ tenantId, trackId, heads }: HeadChange): void {
    for (const cache of this.#caches()) cache.forget(trackId);
    if (heads === undefined) return;
    const seams = heads.heads.map((head): StoredSeam => ({ ...head, trackId, side: 'head' }));
    this.#seams.head.put(tenantId, trackId, seams);
  }

  #caches(): readonly Pick<TrackCache<unknown>, 'clear' | 'forget'>[] {
    return [this.#profiles, this.#seams.head, this.#seams.tail];
  }
}
