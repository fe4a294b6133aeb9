import type { TenantId } from '@earmark/kernel';
import type { HeadFilter } from './head-filter.js';
import type { HeadHit } from './head-index.js';
import type { HeadChange } from './transition-store.js';

/**
 * An index of the entry points that one model made, fed with the log of changes. Never the truth: the database holds every
 * code, an index that is lost begins again at sequence 0, and the score of what it finds is computed by the model.
 */
export interface HeadSearch {
  /** How far the log was applied; 0 at first, and after a loss. Makes what is missing: it is asked before all else. */
  appliedSequence(): Promise<number>;
  /**
   * Applies changes, found when the promise resolves: a track is stored in place of what was known of it, or removed, also
   * if another model made its heads. Changes that were applied before do no harm.
   *
   * @param changes in order of their sequences, at most one a track
   * @param after the sequence that they follow in the log
   * @throws {ShapeError} if a code is too short
   */
  apply(changes: readonly HeadChange[], after: number): Promise<void>;
  /**
   * Finds the tracks whose best entry point is most similar to a tail, best first; equal ones in the order of track ids.
   *
   * @param tail code of the tail
   * @param k most tracks
   */
  search(tenantId: TenantId, tail: Float32Array, k: number, filter?: HeadFilter): Promise<readonly HeadHit[]>;
  /** Removes what is kept outside of the process. Close it next. */
  remove(): Promise<void>;
  close(): Promise<void>;
}
