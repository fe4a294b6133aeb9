import type { TenantId, TrackId } from '@earmark/kernel';
import type { PgTransitionStore } from '@earmark/storage';
import type { StoredSeam, TransitionModel } from '@earmark/transition';
import type { Listener } from '../listener.js';
import { bestHead } from './best-head.js';
import type { Head } from './join-pair.js';
import type { ProfileCache } from './profile-cache.js';
import { NotAnalyzedError, type Tail, type TailSource } from './tail-source.js';
import { defaultMaxSkipMs, type NextConstraints, type TransitionTo } from './transition-types.js';

/** Finds where a given track is best entered after a tail. */
export class HeadSource {
  constructor(
    private readonly parts: Readonly<{
      store: PgTransitionStore;
      profiles: ProfileCache;
      listener: Pick<Listener, 'profile'>;
      tails: TailSource;
      model: TransitionModel;
    }>,
  ) {}

  /**
   * The head of a track or file that fits a tail best.
   *
   * @throws {NotAnalyzedError} `transition.not-analyzed`
   * @throws {WorkerTaskError} with a `media.*` code, if a file has to be heard
   */
  async resolve(
    tenantId: TenantId,
    to: TransitionTo,
    tail: Tail,
    constraints: NextConstraints,
    signal?: AbortSignal,
  ): Promise<Head> {
    if ('trackId' in to) {
      const heads = await this.ofTracks(tenantId, [to.trackId], tail, constraints);
      const head = heads.get(to.trackId);
      if (head === undefined) throw new NotAnalyzedError(`the track ${to.trackId} has not been analysed`);
      return head;
    }
    const profile = await this.parts.listener.profile(to.path, { signal });
    if (profile === undefined) throw new NotAnalyzedError(`${to.path} is too long to be a track`);
    const heads = this.parts.tails.coded(profile).seams.filter(({ side }) => side === 'head');
    const { analysis, edges, loudnessCurve } = profile;
    return this.#best(heads, { ...analysis, edges, loudnessCurve }, tail, constraints);
  }

  /** The best head of each of many tracks; tracks that were not analysed are left out. */
  async ofTracks(
    tenantId: TenantId,
    trackIds: readonly TrackId[],
    tail: Tail,
    constraints: NextConstraints,
  ): Promise<ReadonlyMap<TrackId, Head>> {
    const [profiles, seams] = await Promise.all([
      this.parts.profiles.get(tenantId, trackIds),
      this.parts.profiles.seams(tenantId, trackIds, 'head'),
    ]);
    const found = new Map<TrackId, Head>();
    for (const [trackId, heads] of seams) {
      const profile = profiles.get(trackId);
      if (profile !== undefined) found.set(trackId, this.#best(heads, profile, tail, constraints));
    }
    return found;
  }

  #best(
    heads: readonly Pick<StoredSeam, 'atMs' | 'code'>[],
    profile: Head['profile'],
    tail: Tail,
    { maxSkipMs = defaultMaxSkipMs }: NextConstraints,
  ): Head {
    const allowed = heads.filter(({ atMs }) => atMs <= maxSkipMs);
    const best = bestHead(this.parts.model, tail, allowed.length > 0 ? allowed : heads);
    if (best === undefined) throw new NotAnalyzedError('the track has no place to be entered');
    const { head } = best;
    return { profile, code: head.code, atMs: head.atMs };
  }
}
