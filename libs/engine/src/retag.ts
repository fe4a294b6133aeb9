import type { Track, TrackStore } from '@earmark/catalog';
import {
  type CatalogId,
  DomainError,
  errorCode,
  type JobId,
  type TenantId,
  type TrackId,
} from '@earmark/kernel';
import { type ModelEntry, networkOf } from '@earmark/models';
import type { Progress } from '@earmark/monitoring';
import type { ModelRef, PgTagStore, RetagChange } from '@earmark/storage';
import { decodeOutputs, diffTags, isEmptyDiff, type TaggerModel, tagTrack } from '@earmark/tagging';
import { type HeardTags, toStore } from './heard-tags.js';
import type { Listener } from './listener.js';
import type { AudioPlaces } from './transition/audio-places.js';

/** What to tag again. */
export type RetagRequest = Readonly<{
  tenantId: TenantId;
  /** Absent or empty: every catalog. */
  catalogIds?: readonly CatalogId[];
  /** `id@version`, `id`, or a folder; absent: the newest `earmark-tagger`. */
  model?: string;
  /** Compares only: no tags are stored and no model is promoted. */
  dryRun?: boolean;
  /** Tracks at a time. */
  concurrency?: number;
  /** Job under which changes are kept, for reading them page by page. */
  jobId?: JobId;
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
  /** Called for each track whose tags change or that could not be tagged, in any order. */
  onChange?: (change: RetagChange) => void;
}>;

/** What a re-tagging came to. */
export type RetagReport = Readonly<{
  model: ModelRef;
  dryRun: boolean;
  /** Ready tracks that were looked at. */
  tracks: number;
  changed: number;
  unchanged: number;
  failed: number;
  /** Tracks whose audio had to be heard again. */
  listened: number;
  /** Whether the model speaks for the tenant now; not after a dry run, nor if every track failed. */
  promoted: boolean;
}>;

/** The audio of a track is needed again and is not where it was, or is not the same any more. */
export class AudioGoneError extends DomainError {
  readonly code = 'tag.audio-gone';
}

/** What {@link retagCatalog} works with. */
export type RetagParts = Readonly<{
  tracks: TrackStore;
  listener: Listener;
  store: PgTagStore;
  audio: AudioPlaces;
  entry: ModelEntry;
  model: TaggerModel;
  /** The model that speaks now. */
  active: ModelRef | undefined;
}>;

const pageLength = 200;

/** Tags ready tracks with a model, several at a time, and reports what changes. */
export async function retagCatalog(request: RetagRequest, parts: RetagParts): Promise<RetagReport> {
  const count = { tracks: 0, changed: 0, unchanged: 0, failed: 0, listened: 0 };
  const { id, version } = parts.entry;
  const total = (await parts.tracks.totals(request.tenantId)).tracks;
  const queue = readyTracks(parts.tracks, request);
  const lane = async (): Promise<void> => {
    for (let next = await queue.next(); next.done !== true; next = await queue.next()) {
      request.signal?.throwIfAborted();
      const outcome = await retagTrack(next.value, request, parts);
      count.tracks++;
      count[outcome.result]++;
      if (outcome.listened) count.listened++;
      if (outcome.change !== undefined) request.onChange?.(outcome.change);
      request.onProgress?.({ stage: 'retag', done: count.tracks, total: Math.max(total, count.tracks) });
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: request.concurrency ?? 1 }, lane));
  for (const end of lanes) if (end.status === 'rejected') throw end.reason;
  const dryRun = request.dryRun === true;
  const promoted = !dryRun && (count.tracks === 0 || count.failed < count.tracks);
  return { model: { id, version }, dryRun, ...count, promoted };
}

async function* readyTracks(
  tracks: TrackStore,
  { tenantId, catalogIds }: RetagRequest,
): AsyncGenerator<Track, void> {
  const filter = {
    status: 'ready' as const,
    ...(catalogIds !== undefined && catalogIds.length > 0 && { catalogIds }),
  };
  let after: TrackId | undefined;
  for (;;) {
    const page = await tracks.list(tenantId, filter, {
      limit: pageLength,
      ...(after !== undefined && { after }),
    });
    yield* page;
    after = page.at(-1)?.id;
    if (page.length < pageLength) return;
  }
}

type Outcome = Readonly<{
  result: 'changed' | 'unchanged' | 'failed';
  listened: boolean;
  change?: RetagChange;
}>;

async function retagTrack(track: Track, request: RetagRequest, parts: RetagParts): Promise<Outcome> {
  const { store, entry, active } = parts;
  const { tenantId, jobId } = request;
  const to: ModelRef = { id: entry.id, version: entry.version };
  const about = {
    trackId: track.id,
    ...(track.sourcePath !== undefined && { path: track.sourcePath }),
    ...(track.title !== undefined && { title: track.title }),
    to,
  };
  try {
    const from = await store.speaker(tenantId, track.id, active);
    const before = from && (await store.find(tenantId, track.id, from));
    const stored = await store.find(tenantId, track.id, to);
    const made = stored === undefined ? await hear(track, request, parts) : undefined;
    const diff = diffTags(before?.tags ?? [], (stored ?? made?.heard.tags)?.tags ?? []);
    const change = isEmptyDiff(diff) ? undefined : { ...about, ...(from && { from }), ...diff };
    if (made !== undefined && request.dryRun !== true) {
      const retag = jobId !== undefined && change !== undefined ? { retag: { jobId, change } } : {};
      await store.save(tenantId, track.id, { ...toStore(entry, made.heard), ...retag });
    } else if (jobId !== undefined && change !== undefined) await store.report(tenantId, jobId, change);
    return {
      result: change === undefined ? 'unchanged' : 'changed',
      listened: made?.listened ?? false,
      ...(change !== undefined && { change }),
    };
  } catch (error) {
    request.signal?.throwIfAborted();
    // A track that was deleted meanwhile is no failure of anybody's; a database that is gone is one of the whole run.
    if (!(error instanceof DomainError) || error.code.startsWith('storage.')) throw error;
    if (error.code === 'catalog.no-such-track') return { result: 'unchanged', listened: false };
    const change = { ...about, error: { code: errorCode(error), title: error.message } };
    if (jobId !== undefined) await store.report(tenantId, jobId, change);
    return { result: 'failed', listened: false, change };
  }
}

async function hear(
  track: Track,
  { tenantId, signal }: RetagRequest,
  parts: RetagParts,
): Promise<{ heard: HeardTags; listened: boolean }> {
  const { store, entry, model, listener } = parts;
  const kept = await store.hearing(tenantId, track.id, networkOf(entry.manifest));
  if (kept !== undefined) {
    const tags = tagTrack(model, decodeOutputs(kept), { all: true });
    return { heard: { tags, outputs: kept }, listened: false };
  }
  const path = await audioOf(track, parts, signal);
  const choice = { modelFolder: entry.folder, all: true, experimental: false, keep: true };
  const { tags, outputs } = await listener.tag(path, choice, { signal });
  if (outputs === undefined) throw new TypeError('asked to keep outputs, got none');
  return { heard: { tags, outputs }, listened: true };
}

/** Path of the very bytes that a track was made from. */
async function audioOf(
  { tenantId, id, contentHash }: Track,
  { listener, audio }: RetagParts,
  signal?: AbortSignal,
): Promise<string> {
  const path = await audio.readable(tenantId, id);
  if (path === undefined)
    throw new AudioGoneError('the audio of the track is not where it was, or was not kept');
  if ((await listener.hash(path, { signal })) !== contentHash)
    throw new AudioGoneError(`${path} is another file now`);
  return path;
}
