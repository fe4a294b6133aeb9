import type { TrackId } from '@earmark/kernel';
import type { PgTransitionStore, TrackFacts } from '@earmark/storage';
import {
  chooseDiverse,
  feedbackBias,
  type FeedbackStore,
  type HeadFilter,
  type HeadHit,
  keyDistance,
  type PairFeedback,
  type StoredProfile,
  type StoredSeam,
  type TransitionModel,
} from '@earmark/transition';
import { isAvailable } from './availability.js';
import { bestHead } from './best-head.js';
import type { HeadIndexKeeper } from './head-index-keeper.js';
import { joinPair } from './join-pair.js';
import type { ProfileCache } from './profile-cache.js';
import type { Tail, TailSource } from './tail-source.js';
import { defaultMaxSkipMs, type NextRequest, type NextResult } from './transition-types.js';

const defaultK = 10;
const defaultDiversity = 0.2;
/** How many tracks are looked at for each one wanted, before filters. */
const shortlistShare = 4;
const shortestShortlist = 48;
const recentTracks = 100;

/** A candidate that came through all filters. */
type Rated = Readonly<{
  facts: TrackFacts;
  /** Its best entry point. */
  head: StoredSeam;
  score: number;
}>;

/** Finds what may come next: nearest heads, filters, the model's score, what listeners did, diversity, plan and reasons. */
export class NextTrack {
  constructor(
    private readonly parts: Readonly<{
      store: PgTransitionStore;
      feedback: FeedbackStore;
      profiles: ProfileCache;
      keeper: HeadIndexKeeper;
      tails: TailSource;
      model: TransitionModel;
      /** Today as `YYYY-MM-DD`. */
      today: () => string;
    }>,
  ) {}

  /** Answers a request; {@link TailSource.resolve} says what can go wrong. */
  async find(request: NextRequest): Promise<NextResult> {
    const { tenantId, from, constraints = {}, session, k = defaultK } = request;
    const fromId = 'trackId' in from ? from.trackId : undefined;
    const [tail, pairs, recent] = await Promise.all([
      this.parts.tails.resolve(tenantId, from, constraints, request.signal),
      this.#pairs(request, fromId),
      session === undefined ? [] : this.parts.feedback.recent(tenantId, session, recentTracks),
      this.parts.keeper.freshen(),
    ]);
    const latestFirst = [
      ...(fromId === undefined ? [] : [fromId]),
      ...recent,
      ...(request.history ?? []).toReversed(),
    ];
    const gone = new Set(latestFirst);
    const waiting = [...gone].slice(0, constraints.artistGap ?? 0);
    const { keeper } = this.parts;
    const { candidates: only } = request;
    const { catalogIds, tempoBpm } = request.filter ?? {};
    const filter: HeadFilter = {
      ...(catalogIds !== undefined && { catalogIds }),
      ...(tempoBpm !== undefined && { tempoBpm }),
      latestMs: constraints.maxSkipMs ?? defaultMaxSkipMs,
      without: gone,
      ...(only !== undefined && { only }),
    };
    let rated: readonly Rated[];
    let wanted = Math.max(shortestShortlist, shortlistShare * k);
    for (;;) {
      const nearest = await keeper.search(tenantId, tail.code, wanted, filter);
      // What listeners liked may lie outside of the nearest; a look at it costs little.
      const liked = [...pairs].flatMap(([id, { skips, completes }]) => (completes > skips ? [id] : []));
      const known = new Set(nearest.map(({ trackId }) => trackId));
      const extra = liked.filter((id) => !known.has(id) && (only?.includes(id) ?? true));
      const others =
        extra.length > 0
          ? await keeper.search(tenantId, tail.code, extra.length, { ...filter, only: extra })
          : [];
      rated = await this.#rate(request, tail, [...nearest, ...others], waiting, pairs);
      if (rated.length >= k || nearest.length < wanted) break;
      wanted *= shortlistShare;
    }
    const pool = rated.slice(0, Math.max(shortlistShare * k, shortestShortlist));
    const chosen = chooseDiverse(
      pool.map(({ score, head, facts }) => ({
        score,
        vector: head.code.subarray(0, this.parts.model.dimensions),
        artists: facts.artists,
      })),
      k,
      request.diversity ?? defaultDiversity,
    );
    const profiles = await this.parts.profiles.get(
      tenantId,
      chosen.map((i) => pool[i].facts.id),
    );
    const candidates = chosen.flatMap((i) => {
      const { facts, head, score } = pool[i];
      const profile = profiles.get(facts.id);
      if (profile === undefined) return [];
      const candidate = {
        trackId: facts.id,
        ...(facts.title !== undefined && { title: facts.title }),
        artists: facts.artists,
        score,
        ...joinPair(
          this.parts.model,
          tail,
          { profile, code: head.code, atMs: head.atMs },
          constraints,
          from.atMs,
        ),
      };
      return [candidate];
    });
    const cueOutMs = candidates[0]?.plan.cueOutMs ?? Math.round(tail.atMs);
    return { from: { ...(fromId !== undefined && { trackId: fromId }), cueOutMs }, candidates };
  }

  async #pairs(
    request: NextRequest,
    fromId: TrackId | undefined,
  ): Promise<ReadonlyMap<TrackId, PairFeedback>> {
    if (request.feedback === false || fromId === undefined) return new Map();
    return this.parts.feedback.pairsFrom(request.tenantId, fromId);
  }

  /**
   * Reads what the database knows of the hits, filters by it, and orders by score.
   *
   * @param played tracks whose artists have to wait
   */
  async #rate(
    request: NextRequest,
    tail: Tail,
    hits: readonly HeadHit[],
    played: readonly TrackId[],
    pairs: ReadonlyMap<TrackId, PairFeedback>,
  ): Promise<readonly Rated[]> {
    const { tenantId, filter = {}, constraints = {} } = request;
    const { store, profiles, model, today } = this.parts;
    const { keyRule = 'any', maxSkipMs = defaultMaxSkipMs } = constraints;
    const ids = hits.map(({ trackId }) => trackId);
    const [facts, seams, keyed] = await Promise.all([
      store.facts(tenantId, [...ids, ...played]),
      profiles.seams(tenantId, ids, 'head'),
      keyRule === 'any' ? undefined : profiles.get(tenantId, ids),
    ]);
    const factsOf = new Map(facts.map((one) => [one.id, one]));
    const tooNear = new Set(played.flatMap((id) => factsOf.get(id)?.artists ?? []));
    const day = today();
    const rated: Rated[] = [];
    for (const hit of hits) {
      const about = factsOf.get(hit.trackId);
      const heads = seams.get(hit.trackId) ?? [];
      const best = bestHead(
        model,
        tail,
        heads.filter(({ atMs }) => atMs <= maxSkipMs),
      );
      // A track that was removed since the index was read is in one of them no more.
      if (about === undefined || best === undefined) continue;
      if (!isAvailable(about.rights, filter.market, day)) continue;
      if (filter.explicit === false && about.explicit === true) continue;
      if (about.artists.some((artist) => tooNear.has(artist))) continue;
      if (keyRule !== 'any' && !keysAgree(tail, keyed?.get(hit.trackId), keyRule)) continue;
      const pair = pairs.get(hit.trackId);
      const bias = pair === undefined ? 0 : feedbackBias(pair);
      rated.push({ facts: about, head: best.head, score: clamp(best.score + bias) });
    }
    return rated.sort((a, b) => b.score - a.score || (a.facts.id < b.facts.id ? -1 : 1));
  }
}

function keysAgree({ side }: Tail, to: StoredProfile | undefined, rule: 'compatible' | 'same'): boolean {
  if (side.key === undefined || to?.key === undefined) return false;
  return keyDistance(side.key, to.key) <= (rule === 'same' ? 0 : 1);
}

function clamp(score: number): number {
  return Math.max(0, Math.min(1, score));
}
