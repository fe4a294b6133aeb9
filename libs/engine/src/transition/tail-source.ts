import { analysisVersion } from '@earmark/analysis';
import { DomainError, type TenantId, type TrackId } from '@earmark/kernel';
import type { PgTransitionStore } from '@earmark/storage';
import {
  type Edges,
  type LoudnessCurve,
  type MixTrack,
  type NewProfile,
  type StoredSeam,
  type TrackProfile,
  type TransitionModel,
  seamWindow,
  windowMs,
} from '@earmark/transition';
import type { AudioPlaces } from './audio-places.js';
import type { Listener } from '../listener.js';
import type { ProfileCache } from './profile-cache.js';
import type { NextConstraints, TransitionFrom } from './transition-types.js';

/** A track that has not been analysed yet, or that is too long for it. */
export class NotAnalyzedError extends DomainError {
  readonly code = 'transition.not-analyzed';
}

/** What a plan and a decision need of a recording. */
export type MixSide = MixTrack & Readonly<{ edges: Edges; loudnessCurve: LoudnessCurve }>;

/** Where a transition begins: the window before it, as the model sees it, and the recording it belongs to. */
export type Tail = Readonly<{
  trackId?: TrackId;
  /** Where the window ends, ms. */
  atMs: number;
  code: Float32Array;
  side: MixSide;
}>;

/** Farther from the wanted place than this, a stored tail is not taken where the audio can be read. */
const nearMs = 2_000;

/** Finds or makes the tail that a transition starts from. */
export class TailSource {
  constructor(
    private readonly parts: Readonly<{
      store: PgTransitionStore;
      profiles: ProfileCache;
      listener: Pick<Listener, 'profile' | 'windows'>;
      model: TransitionModel;
      audio: AudioPlaces;
    }>,
  ) {}

  /**
   * The tail of a track or file.
   *
   * @throws {NotAnalyzedError} `transition.not-analyzed`
   * @throws {WorkerTaskError} with a `media.*` code, if a file has to be heard
   */
  async resolve(
    tenantId: TenantId,
    from: TransitionFrom,
    constraints: NextConstraints,
    signal?: AbortSignal,
  ): Promise<Tail> {
    if ('path' in from) return this.#ofFile(from, constraints, signal);
    const { trackId, atMs } = from;
    const { profiles, audio } = this.parts;
    const [stored, seams] = await Promise.all([
      profiles.get(tenantId, [trackId]),
      profiles.seams(tenantId, [trackId], 'tail'),
    ]);
    const [side, tails] = [stored.get(trackId), seams.get(trackId)];
    if (side === undefined || tails === undefined) {
      throw new NotAnalyzedError(`the track ${trackId} has not been analysed`);
    }
    const chosen = chooseTail(tails, side.durationMs, atMs, constraints.maxCutMs);
    if (atMs !== undefined && Math.abs(chosen.atMs - atMs) > nearMs) {
      const path = await audio.readable(tenantId, trackId);
      if (path !== undefined) {
        const at = Math.min(atMs, side.durationMs);
        return { trackId, atMs: at, code: await this.#codeAt(path, at, side.durationMs, signal), side };
      }
    }
    return { trackId, atMs: chosen.atMs, code: chosen.code, side };
  }

  /** Adds to a profile what the model makes of its seams. */
  coded(profile: TrackProfile): NewProfile {
    const { model } = this.parts;
    const seams = profile.seams.map((seam) => ({ ...seam, code: model.embed(seam.features, seam.side) }));
    return { ...profile, seams, analysisVersion, modelId: model.id };
  }

  async #ofFile(
    { path, atMs }: Extract<TransitionFrom, { path: string }>,
    { maxCutMs }: NextConstraints,
    signal: AbortSignal | undefined,
  ): Promise<Tail> {
    const profile = await this.parts.listener.profile(path, { signal });
    if (profile === undefined) throw new NotAnalyzedError(`${path} is too long to be a track`);
    const { analysis, edges, loudnessCurve } = profile;
    const side = { ...analysis, edges, loudnessCurve };
    if (atMs !== undefined) {
      const at = Math.min(atMs, analysis.durationMs);
      return { atMs: at, code: await this.#codeAt(path, at, analysis.durationMs, signal), side };
    }
    const tails = this.coded(profile).seams.filter((seam) => seam.side === 'tail');
    const chosen = chooseTail(tails, analysis.durationMs, undefined, maxCutMs);
    return { atMs: chosen.atMs, code: chosen.code, side };
  }

  async #codeAt(
    path: string,
    atMs: number,
    durationMs: number,
    signal: AbortSignal | undefined,
  ): Promise<Float32Array> {
    const { listener, model } = this.parts;
    const window = seamWindow({ side: 'tail', atMs }, durationMs, windowMs);
    const features = await listener.windows(path, [{ ...window, side: 'tail' }], { signal });
    return model.embed(features, 'tail');
  }
}

/** The tail nearest to the wanted place; else the most natural one that cuts no more than allowed, the latest of them. */
export function chooseTail<T extends Pick<StoredSeam, 'atMs' | 'strength'>>(
  tails: readonly T[],
  durationMs: number,
  wantedMs: number | undefined,
  maxCutMs: number | undefined,
): T {
  const better = (a: T, b: T): T => {
    if (wantedMs !== undefined) return Math.abs(b.atMs - wantedMs) < Math.abs(a.atMs - wantedMs) ? b : a;
    const allowed = ({ atMs }: T): boolean => maxCutMs === undefined || durationMs - atMs <= maxCutMs;
    if (allowed(a) !== allowed(b)) return allowed(a) ? a : b;
    if (!allowed(a)) return b.atMs > a.atMs ? b : a;
    return b.strength >= a.strength ? b : a;
  };
  return tails.reduce(better);
}
