import type { TenantId, TrackId } from '@earmark/kernel';
import type { StoredProfile, TransitionStore } from '@earmark/transition';

/** Profiles kept: about 100 MB. */
const mostProfiles = 20_000;

/** Profiles of tracks, read when first needed and kept while they are used. */
export class ProfileCache {
  /** Least recently used first. */
  readonly #kept = new Map<TrackId, { tenantId: TenantId; profile: StoredProfile }>();

  constructor(private readonly store: TransitionStore) {}

  /** Profiles of a tenant's tracks; tracks without one are left out. */
  async get(tenantId: TenantId, trackIds: readonly TrackId[]): Promise<ReadonlyMap<TrackId, StoredProfile>> {
    const found = new Map<TrackId, StoredProfile>();
    const missing: TrackId[] = [];
    for (const id of trackIds) {
      const kept = this.#kept.get(id);
      if (kept?.tenantId !== tenantId) {
        missing.push(id);
        continue;
      }
      this.#kept.delete(id);
      this.#kept.set(id, kept);
      found.set(id, kept.profile);
    }
    for (const profile of await this.store.find(tenantId, missing)) {
      found.set(profile.trackId, profile);
      this.#kept.set(profile.trackId, { tenantId, profile });
    }
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= mostProfiles) break;
      this.#kept.delete(oldest);
    }
    return found;
  }

  /** Forgets all tracks. */
  clear(): void {
    this.#kept.clear();
  }

  /** Forgets a track that was removed or changed. */
  forget(trackId: TrackId): void {
    this.#kept.delete(trackId);
  }
}
