import type { TrackStore } from '@earmark/catalog';
import type { Match as FoundMatch } from '@earmark/fingerprint';
import type { CatalogId, TenantId, TrackId } from '@earmark/kernel';
import type { Match } from '@earmark/monitoring';
import type { Scope } from './search-task.js';
import type { SearchingOptions, SearchThreads } from './search-threads.js';

/** What a long recording holds. */
export type ScanResult = Readonly<{
  matches: readonly Match[];
  /** The recording's own peaks at index density, encoded. */
  reference: Uint8Array;
}>;

/** Recognises peaks: what searching threads find, with the catalog's descriptions. */
export class Recognition {
  constructor(
    private readonly threads: SearchThreads,
    private readonly tracks: TrackStore,
  ) {}

  /**
   * Matches of a clip that is one query, best first.
   *
   * @param peaks encoded
   */
  async identify(peaks: Uint8Array, scope: Scope, options: SearchingOptions): Promise<readonly Match[]> {
    return this.#describe(await this.threads.identify(peaks, scopeOf(scope), options), scope.tenantId);
  }

  /**
   * Matches inside a long recording, in order of time.
   *
   * @param peaks encoded
   */
  async scan(peaks: Uint8Array, scope: Scope, options: SearchingOptions): Promise<ScanResult> {
    const { matches, reference } = await this.threads.scan(peaks, scopeOf(scope), options);
    return { matches: await this.#describe(matches, scope.tenantId), reference };
  }

  /**
   * The track of the same catalog that holds the same recording.
   *
   * @param peaks encoded
   */
  duplicateOf(
    peaks: Uint8Array,
    { tenantId, catalogId }: Readonly<{ tenantId: TenantId; catalogId: CatalogId }>,
  ): Promise<TrackId | undefined> {
    return this.threads.duplicateOf(peaks, { tenantId, catalogIds: [catalogId] });
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

/** Only what a thread can be told: a request carries more than its scope. */
function scopeOf({ tenantId, catalogIds }: Scope): Scope {
  return { tenantId, ...(catalogIds === undefined ? {} : { catalogIds }) };
}

/** Standard deviations at which the evidence counts half. */
const halfStrength = 25;

/** Brings standard deviations ahead of chance, 0 to some hundreds, to the contract's 0..1. */
function strengthOf(deviations: number): number {
  const positive = Math.max(0, deviations);
  return positive / (positive + halfStrength);
}
