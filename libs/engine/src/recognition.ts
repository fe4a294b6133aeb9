import type { TrackStore } from '@earmark/catalog';
import {
  findDuplicate,
  identify,
  type Match as FoundMatch,
  type Peaks,
  scan,
  type ScanOptions,
  type SearchSources,
} from '@earmark/fingerprint';
import type { CatalogId, TenantId, TrackId } from '@earmark/kernel';
import type { Match } from '@earmark/monitoring';
import type { IndexKeeper } from './index-keeper.js';
import type { PeaksCache } from './peaks-cache.js';

/** Catalogs of one tenant that a question is asked of; no catalogs: all of them. */
export type Scope = Readonly<{ tenantId: TenantId; catalogIds?: readonly CatalogId[] | undefined }>;

/** Recognises peaks against the index, the stored peaks and the catalog's descriptions. */
export class Recognition {
  constructor(
    private readonly keeper: IndexKeeper,
    private readonly cache: PeaksCache,
    private readonly tracks: TrackStore,
  ) {}

  /** Matches of a clip that is one query, best first. */
  async identify(peaks: Peaks, scope: Scope): Promise<readonly Match[]> {
    return this.#describe(await identify(peaks, this.#sources(scope)), scope.tenantId);
  }

  /** Matches inside a long recording, in order of time. */
  async scan(peaks: Peaks, scope: Scope, options: ScanOptions): Promise<readonly Match[]> {
    return this.#describe(await scan(peaks, this.#sources(scope), options), scope.tenantId);
  }

  /** The track of the same catalog that holds the same recording. */
  async duplicateOf(
    peaks: Peaks,
    { tenantId, catalogId }: Readonly<{ tenantId: TenantId; catalogId: CatalogId }>,
  ): Promise<TrackId | undefined> {
    return (await findDuplicate(peaks, this.#sources({ tenantId, catalogIds: [catalogId] })))?.trackId;
  }

  #sources({ tenantId, catalogIds }: Scope): SearchSources {
    return {
      index: this.keeper.source(tenantId, catalogIds, this.cache),
      peaks: { peaksOf: async (trackId) => (await this.cache.get([trackId])).get(trackId) },
    };
  }

  /** Adds path and title, and leaves out tracks that were deleted meanwhile. */
  async #describe(found: readonly FoundMatch[], tenantId: TenantId): Promise<readonly Match[]> {
    const ids: TrackId[] = found.map(({ trackId }) => trackId);
    const tracks = new Map((await this.tracks.findByIds(tenantId, ids)).map((track) => [track.id, track]));
    return found.flatMap((match) => {
      const track = tracks.get(match.trackId);
      if (track === undefined) return [];
      const { sourcePath, title } = track;
      return [
        {
          ...match,
          score: strengthOf(match.score),
          ...(sourcePath === undefined ? {} : { path: sourcePath }),
          ...(title === undefined ? {} : { title }),
        },
      ];
    });
  }
}

/** Standard deviations at which the evidence counts half. */
const halfStrength = 25;

/** Brings standard deviations ahead of chance, 0 to some hundreds, to the contract's 0..1. */
function strengthOf(deviations: number): number {
  const positive = Math.max(0, deviations);
  return positive / (positive + halfStrength);
}
