import type { ElasticsearchOptions } from '@earmark/fingerprint-index';
import type { CatalogId, TenantId, TrackId } from '@earmark/kernel';
import type { Match } from '@earmark/fingerprint';

/** Catalogs of one tenant that a question is asked of; no catalogs: all of them. */
export type Scope = Readonly<{ tenantId: TenantId; catalogIds?: readonly CatalogId[] | undefined }>;

/** How a thread opens the index to look things up. */
export type IndexPlace = Readonly<
  | { kind: 'embedded'; directory: string; configId: string }
  | { kind: 'elasticsearch'; options: Omit<ElasticsearchOptions, 'chunks'> }
>;

/** What a searching thread is started with. */
export type SearchWorkerData = Readonly<{
  index: IndexPlace;
  /** Most bytes of index pages that the thread keeps. */
  pageBytes: number;
  /** Most bytes of decoded peaks that the thread keeps. */
  peaksBytes: number;
}>;

/** One thing to look for; peaks are encoded, of a clip with its spectrum. */
export type SearchTask = Readonly<
  | { kind: 'identify'; peaks: Uint8Array; scope: Scope }
  | { kind: 'scan'; peaks: Uint8Array; scope: Scope }
  | { kind: 'duplicate'; peaks: Uint8Array; scope: Scope }
>;

/** Answer to a {@link SearchTask}. */
export type SearchAnswer = Readonly<
  | { kind: 'identify'; matches: readonly Match[] }
  | {
      kind: 'scan';
      matches: readonly Match[];
      /** The recording's own peaks at index density, encoded. */
      reference: Uint8Array;
    }
  | { kind: 'duplicate'; trackId: TrackId | undefined }
>;

/** How much of a recording has been searched, in analysis frames. */
export type SearchProgress = Readonly<{ doneFrames: number; totalFrames: number }>;

/** Tracks whose stored peaks a thread needs. */
export type PeaksQuestion = readonly TrackId[];

/** Encoded peaks of tracks, in memory that threads share; tracks without peaks are left out. */
export type PeaksAnswer = readonly Readonly<{ trackId: TrackId; peaks: Uint8Array }>[];
