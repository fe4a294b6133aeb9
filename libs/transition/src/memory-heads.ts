import type { TenantId } from '@earmark/kernel';
import type { HeadFilter } from './head-filter.js';
import { HeadIndex, type HeadHit } from './head-index.js';
import type { HeadSearch } from './head-search.js';
import type { TransitionModel } from './transition-model.js';
import type { HeadChange } from './transition-store.js';

/** Entry points in the memory of this process, one {@link HeadIndex} a tenant. */
export class MemoryHeads implements HeadSearch {
  private readonly indexes = new Map<TenantId, HeadIndex>();
  private sequence = 0;

  constructor(private readonly model: Pick<TransitionModel, 'id' | 'dimensions'>) {}

  appliedSequence(): Promise<number> {
    return Promise.resolve(this.sequence);
  }

  // An async method, so that what it throws is a rejection.
  // eslint-disable-next-line @typescript-eslint/require-await
  async apply(changes: readonly HeadChange[]): Promise<void> {
    for (const { sequence, tenantId, trackId, heads } of changes) {
      const index = this.indexOf(tenantId);
      // What another model made cannot be compared; it is made again by a backfill.
      if (heads === undefined || heads.modelId !== this.model.id) index.remove(trackId);
      else index.set(heads);
      this.sequence = Math.max(this.sequence, sequence);
    }
  }

  search(
    tenantId: TenantId,
    tail: Float32Array,
    k: number,
    filter: HeadFilter = {},
  ): Promise<readonly HeadHit[]> {
    return Promise.resolve(this.indexOf(tenantId).search(tail, k, filter));
  }

  remove(): Promise<void> {
    return this.close();
  }

  close(): Promise<void> {
    this.indexes.clear();
    return Promise.resolve();
  }

  private indexOf(tenantId: TenantId): HeadIndex {
    let index = this.indexes.get(tenantId);
    if (index === undefined) {
      index = new HeadIndex(this.model.dimensions);
      this.indexes.set(tenantId, index);
    }
    return index;
  }
}
