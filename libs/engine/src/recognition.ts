import type { TrackStore } from '@earmark/catalog';
import {
  findDuplicate,
  framesToMs,
  identify,
  type Peaks,
  type RecognizedSegment,
  scan,
} from '@earmark/fingerprint';
import type { CatalogId, TenantId, TrackId } from '@earmark/kernel';
import type { Match } from '@earmark/monitoring';
import type { IndexKeeper } from './index-keeper.js';
import type { PeaksCache } from './peaks-cache.js';

/** Catalogs of one tenant that a question is asked of. */
export type Scope = Readonly<{ tenantId: TenantId; catalogIds?: readonly CatalogId[] | undefined }>;

/** Recognises peaks against the index, the stored peaks and the catalog's descriptions. */
export class Recognition {
  constructor(
    private readonly keeper: IndexKeeper,
    private readonly cache: PeaksCache,
    private readonly tracks: TrackStore,
  ) {}
}
