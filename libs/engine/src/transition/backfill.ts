import { errorCode, type TenantId, type TrackId } from '@earmark/kernel';
import type { ListeningOptions } from '@earmark/monitoring';
import type { PgTransitionStore } from '@earmark/storage';
import { featureSize, type TrackProfile, type TransitionModel } from '@earmark/transition';
import type { Listener } from '../listener.js';
import type { AudioPlaces } from './audio-places.js';

/** Analyses every track that was not, or by older versions. */
export type BackfillRequest = ListeningOptions & Readonly<{ tenantId: TenantId; concurrency: number }>;

/** What a backfill came to. */
export type BackfillReport = Readonly<{
  analyzed: number;
  /** Tracks that only needed the codes of another model, made without their audio. */
  recoded: number;
  /** Tracks whose audio is neither where it was nor kept. */
  withoutAudio: number;
  failed: readonly Readonly<{ trackId: TrackId; code: string }>[];
}>;

const pageTracks = 200;
/** Most failures that a report lists. */
const mostListed = 1_000;

/** Carries out a backfill. What is done is done: after a crash it goes on with the rest. */
export async function backfillProfiles(
  parts: Readonly<{
    store: PgTransitionStore;
    audio: AudioPlaces;
    listener: Listener;
    versions: Readonly<{ analysisVersion: string; modelId: string }>;
    model: TransitionModel;
    save: (tenantId: TenantId, trackId: TrackId, profile: TrackProfile) => Promise<void>;
  }>,
  { tenantId, concurrency, signal, onProgress }: BackfillRequest,
): Promise<BackfillReport> {
  let [analyzed, recoded, withoutAudio, done] = [0, 0, 0, 0];
  const failed: { trackId: TrackId; code: string }[] = [];
  const one = async (trackId: TrackId): Promise<void> => {
    signal?.throwIfAborted();
    const isRecoded = await parts.store.recode(tenantId, trackId, parts.versions, (features, side) =>
      features.length === featureSize ? parts.model.embed(features, side) : undefined,
    );
    const path = isRecoded ? undefined : await parts.audio.readable(tenantId, trackId);
    if (isRecoded) recoded++;
    else if (path === undefined) withoutAudio++;
    else {
      try {
        const profile = await parts.listener.profile(path, { signal });
        if (profile !== undefined) await parts.save(tenantId, trackId, profile);
        analyzed++;
      } catch (error) {
        signal?.throwIfAborted();
        if (failed.length < mostListed) failed.push({ trackId, code: errorCode(error) });
      }
    }
    onProgress?.({ stage: 'analyze', done: ++done, total: 0 });
  };
  let after: TrackId | undefined;
  for (;;) {
    const page = await parts.store.missing(tenantId, parts.versions, {
      limit: pageTracks,
      ...(after !== undefined && { after }),
    });
    after = page.at(-1);
    if (after === undefined) break;
    const left = [...page];
    const lane = async (): Promise<void> => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) await one(next);
    };
    await Promise.all(Array.from({ length: concurrency }, lane));
  }
  return { analyzed, recoded, withoutAudio, failed };
}
