import type { TenantId, TrackId } from '@earmark/kernel';
import { HeadIndex, type TransitionModel, type TransitionStore } from '@earmark/transition';

const batchTracks = 500;
/** How old the indexes may be when they are asked. */
const freshMs = 100;

/**
 * Indexes of entry points in memory, one a tenant, level with the database: read as a whole when first asked, then by what
 * any process changed since.
 */
export class HeadIndexKeeper {
  readonly #indexes = new Map<TenantId, HeadIndex>();
  #sequence = 0;
  #refreshedMs = -Infinity;
  #running: Promise<void> | undefined;

  /** @param onChange told of every track that was added, changed or removed */
  constructor(
    private readonly store: TransitionStore,
    private readonly model: TransitionModel,
    private readonly onChange: (trackId: TrackId) => void,
  ) {}

  /** The index of a tenant, at most a tenth of a second behind what was committed when this was called. */
  async of(tenantId: TenantId): Promise<HeadIndex> {
    if (performance.now() - this.#refreshedMs > freshMs) await this.refresh();
    return this.#index(tenantId);
  }

  /** Makes the next question see a change of this process. */
  expire(): void {
    this.#refreshedMs = -Infinity;
  }

  /** Applies everything that was committed when this was called. */
  async refresh(): Promise<void> {
    // A run that has begun may have read before the change of the caller.
    await this.#running;
    this.#running ??= this.#apply().finally(() => (this.#running = undefined));
    return this.#running;
  }

  async #apply(): Promise<void> {
    const startedMs = performance.now();
    for (;;) {
      const changes = await this.store.changes(this.#sequence, batchTracks);
      for (const { sequence, tenantId, trackId, heads } of changes) {
        const index = this.#index(tenantId);
        // What another model made cannot be compared; it is made again by a backfill.
        if (heads === undefined || heads.modelId !== this.model.id) index.remove(trackId);
        else index.set(heads);
        this.#sequence = sequence;
        this.onChange(trackId);
      }
      if (changes.length < batchTracks) break;
    }
    this.#refreshedMs = startedMs;
  }

  #index(tenantId: TenantId): HeadIndex {
    let index = this.#indexes.get(tenantId);
    if (index === undefined) {
      index = new HeadIndex(this.model.dimensions);
      this.#indexes.set(tenantId, index);
    }
    return index;
  }
}
