import { InvalidValueError, type TrackId } from '@earmark/kernel';
import type { PgTransitionStore } from '@earmark/storage';
import { orderSequence, type StoredProfile, type TransitionModel } from '@earmark/transition';
import type { ProfileCache } from './profile-cache.js';
import { chooseTail, NotAnalyzedError } from './tail-source.js';
import { defaultMaxSkipMs, type SequenceRequest, type SequenceResult } from './transition-types.js';

/** What loudness counts beside tempo in the energy of a track. */
const loudnessShare = 0.6;

/** Orders tracks of a catalog. */
export class Sequences {
  constructor(
    private readonly parts: Readonly<{
      store: PgTransitionStore;
      profiles: ProfileCache;
      model: TransitionModel;
    }>,
  ) {}

  /**
   * Orders a set along an energy curve so that neighbours fit.
   *
   * @throws {NotAnalyzedError} `transition.not-analyzed`
   * @throws {ImpossibleSequenceError} `transition.impossible-sequence`
   * @throws {InvalidValueError} `transition.not-in-set` if a pin or lock names a track that is not to be ordered
   */
  async order(request: SequenceRequest): Promise<SequenceResult> {
    const { tenantId, constraints = {}, curve, budgetMs } = request;
    const trackIds = [...new Set(request.trackIds)];
    const [profiles, headsOf, tailsOf] = await Promise.all([
      this.parts.profiles.get(tenantId, trackIds),
      this.parts.profiles.seams(tenantId, trackIds, 'head'),
      this.parts.profiles.seams(tenantId, trackIds, 'tail'),
    ]);
    const tracks = trackIds.map((id) => {
      const [profile, ins, outs] = [profiles.get(id), headsOf.get(id), tailsOf.get(id)];
      if (profile === undefined || ins === undefined || outs === undefined)
        throw new NotAnalyzedError(`the track ${id} has not been analysed`);
      const near = ins.filter(({ atMs }) => atMs <= (constraints.maxSkipMs ?? defaultMaxSkipMs));
      const tail = chooseTail(outs, profile.durationMs, undefined, constraints.maxCutMs);
      return { id, profile, tail, heads: near.length > 0 ? near : ins };
    });
    const energies = energiesOf(tracks.map(({ profile }) => profile));
    const scores = new Float64Array(tracks.length ** 2);
    for (const [i, { tail }] of tracks.entries()) {
      for (const [j, track] of tracks.entries()) {
        if (i === j) continue;
        const best = Math.max(...track.heads.map(({ code }) => this.parts.model.score(tail.code, code)));
        scores[i * tracks.length + j] = best;
      }
    }
    const indexOf = (trackId: TrackId, pointer: string): number => {
      const index = trackIds.indexOf(trackId);
      if (index >= 0) return index;
      throw new InvalidValueError('transition.not-in-set', pointer, `${trackId} is not among the tracks`);
    };
    const items = tracks.map(({ id, profile }, i) => ({
      id,
      durationMs: profile.durationMs,
      energy: energies[i],
    }));
    const { order, leftOut } = orderSequence(items, {
      score: (i, j) => scores[i * tracks.length + j],
      pins: (request.pins ?? []).map(({ trackId, position }, n) => ({
        item: indexOf(trackId, `/pins/${n}/track`),
        position,
      })),
      locks: (request.locks ?? []).map((lock, n) => lock.map((id, m) => indexOf(id, `/locks/${n}/${m}`))),
      ...(curve !== undefined && { curve }),
      ...(budgetMs !== undefined && { budgetMs }),
    });
    return {
      tracks: order.map((index, n) => ({
        trackId: trackIds[index],
        durationMs: items[index].durationMs,
        energy: items[index].energy,
        ...(n > 0 && { score: scores[order[n - 1] * tracks.length + index] }),
      })),
      leftOut: leftOut.map((index) => trackIds[index]),
      durationMs: order.reduce((sum, index) => sum + items[index].durationMs, 0),
    };
  }
}

/** Energy of each track among the set, 0..1: its rank by loudness and tempo. */
function energiesOf(profiles: readonly StoredProfile[]): number[] {
  const loudness = ranks(profiles.map((profile) => profile.loudness.integratedLufs));
  const tempo = ranks(profiles.map(({ tempoBpm }) => tempoBpm ?? 0));
  return ranks(loudness.map((rank, i) => loudnessShare * rank + (1 - loudnessShare) * tempo[i]));
}

/** Ranks as 0..1; equal values get equal ranks. */
function ranks(values: readonly number[]): number[] {
  const sorted = [...values].sort((a, b) => a - b);
  return values.map((value) => (values.length > 1 ? sorted.indexOf(value) / (values.length - 1) : 0.5));
}
