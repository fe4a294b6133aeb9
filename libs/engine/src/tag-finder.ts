import { DomainError, type TenantId, type TrackId } from '@earmark/kernel';
import type { PgTagSearch } from '@earmark/storage';
import {
  type FacetCount,
  type FoundTrack,
  type ModelRef,
  type PgModelVersionStore,
  type PgTagStore,
  type RankedTrack,
  type TagQuery,
} from '@earmark/storage';
import {
  decodeOutputs,
  type Facet,
  rangesWhere,
  type SegmentGrid,
  type SegmentOutputs,
  totalMs,
  type TimeRange,
} from '@earmark/tagging';
import { EmbeddingIndex, unit } from './embedding-index.js';

/** A part of a track that others are to sound like. */
export type LikeSegment = TimeRange & Readonly<{ trackId: TrackId }>;

/** What to find. */
export type FindQuery = TagQuery &
  Readonly<{
    /** What the tracks are to sound like; these tracks themselves are left out. */
    like?: Readonly<{ tracks: readonly TrackId[]; segments: readonly LikeSegment[] }>;
    /** Facets to count. */
    facets?: readonly Facet[];
  }>;

/** A find, with the places that made it one. */
export type FoundHit = Omit<FoundTrack, 'places'> &
  Readonly<{
    /** 0..1 (below 0 with negative weights). */
    score: number;
    /** Cosine of the embeddings, 0..1; absent unless something was to be resembled. */
    similarity?: number;
    /** In time order: where wanted tags hold, or (without a tag) what sounds most like it. */
    highlights: readonly (TimeRange & Readonly<{ facet?: Facet; tag?: string }>)[];
  }>;

/** A page of finds. */
export type FoundPage = Readonly<{ hits: readonly FoundHit[]; facets: readonly FacetCount[] }>;

/** A track to resemble that no model has heard; `pointer` is where the request names it. */
export class NothingToResembleError extends DomainError {
  readonly code = 'tag.nothing-to-resemble';

  constructor(
    readonly trackId: TrackId,
    readonly pointer: string,
  ) {
    super(`the track ${trackId} has not been tagged, or nothing sounds in that part`);
  }
}

/** How far below the best segment of a track another one may lie to be highlighted too. */
const highlightMargin = 0.05;
const mostHighlights = 3;

/** Finds tracks by tags and by sound. */
export class TagFinder {
  readonly #search: PgTagSearch;
  readonly #index: EmbeddingIndex;

  constructor(
    search: PgTagSearch,
    private readonly store: PgTagStore,
    private readonly versions: PgModelVersionStore,
  ) {
    this.#search = search;
    this.#index = new EmbeddingIndex(search);
  }

  /**
   * Finds tracks, the best first. With `like` the order is the similarity, or its mean with the weights' score.
   *
   * @param page `after` is the last hit of the page before
   * @throws {NothingToResembleError} if a track or part of `like` has no embedding
   */
  async find(
    tenantId: TenantId,
    query: FindQuery,
    page: Readonly<{ limit: number; after?: RankedTrack }>,
  ): Promise<FoundPage> {
    const active = await this.versions.active(tenantId);
    const resembled = query.like && (await this.#direction(tenantId, active, query.like));
    const ranked =
      resembled === undefined
        ? (await this.#search.rank(tenantId, active, query, page)).map((hit) => ({
            ...hit,
            similarity: undefined,
          }))
        : await this.#rankByLikeness(tenantId, active, query, resembled, page);
    const found = new Map(
      (
        await this.#search.describe(
          tenantId,
          active,
          query,
          ranked.map(({ trackId }) => trackId),
        )
      ).map((track) => [track.trackId, track]),
    );
    const hits: FoundHit[] = [];
    for (const { trackId, score, similarity } of ranked) {
      const track = found.get(trackId);
      if (track === undefined) continue;
      const { places, ...about } = track;
      const alike = resembled === undefined ? [] : await this.#alike(tenantId, track, resembled.direction);
      hits.push({
        ...about,
        score,
        ...(similarity !== undefined && { similarity }),
        highlights: [...places, ...alike].sort((a, b) => a.startMs - b.startMs),
      });
    }
    const { facets = [] } = query;
    return {
      hits,
      facets: facets.length === 0 ? [] : await this.#search.facetCounts(tenantId, active, query, facets),
    };
  }

  async #rankByLikeness(
    tenantId: TenantId,
    active: ModelRef | undefined,
    query: FindQuery,
    { direction, model, self }: Resembled,
    page: Readonly<{ limit: number; after?: RankedTrack }>,
  ): Promise<readonly (RankedTrack & Readonly<{ similarity: number }>)[]> {
    const isNarrowed = query.filter !== undefined || query.weights !== undefined;
    const fitting = isNarrowed ? await this.#search.rank(tenantId, active, query) : undefined;
    const tagScores = fitting && new Map(fitting.map(({ trackId, score }) => [trackId, score]));
    const among = tagScores && new Set(tagScores.keys());
    const isWeighted = query.weights !== undefined && query.weights.length > 0;
    const { after } = page;
    return (await this.#index.compare(tenantId, model, direction, among))
      .filter(({ trackId }) => !self.has(trackId))
      .map(({ trackId, similarity: cosine }) => {
        const similarity = six(Math.max(0, cosine));
        const tagScore = tagScores?.get(trackId) ?? 0;
        return { trackId, similarity, score: isWeighted ? six((similarity + tagScore) / 2) : similarity };
      })
      .filter(
        ({ trackId, score }) =>
          after === undefined || score < after.score || (score === after.score && trackId > after.trackId),
      )
      .sort((a, b) => b.score - a.score || (a.trackId < b.trackId ? -1 : 1))
      .slice(0, page.limit);
  }

  /** Mean direction of what is to be resembled, in the space of the model that speaks for the first of it. */
  async #direction(
    tenantId: TenantId,
    active: ModelRef | undefined,
    like: NonNullable<FindQuery['like']>,
  ): Promise<Resembled> {
    const wanted = [
      ...like.tracks.map((trackId, i) => ({ trackId, range: undefined, pointer: `/like/tracks/${i}` })),
      ...like.segments.map((range, i) => ({ trackId: range.trackId, range, pointer: `/like/segments/${i}` })),
    ];
    let model: ModelRef | undefined;
    let direction: Float32Array | undefined;
    for (const { trackId, range, pointer } of wanted) {
      model ??= await this.store.speaker(tenantId, trackId, active);
      const vector =
        model &&
        (range === undefined
          ? await this.#index.vectorOf(tenantId, model, trackId)
          : await this.#partOf(tenantId, model, range));
      if (vector === undefined || !vector.some((value) => value !== 0))
        throw new NothingToResembleError(trackId, pointer);
      direction = direction === undefined ? vector.slice() : direction.map((value, i) => value + vector[i]);
    }
    if (model === undefined || direction === undefined) throw new TypeError('nothing is to be resembled');
    return { model, direction, self: new Set(wanted.map(({ trackId }) => trackId)) };
  }

  /** Mean direction of the segments whose middle lies in a part of a track. */
  async #partOf(
    tenantId: TenantId,
    model: ModelRef,
    { trackId, startMs, endMs }: LikeSegment,
  ): Promise<Float32Array | undefined> {
    const heard = await this.#heard(tenantId, trackId, model);
    if (heard === undefined) return undefined;
    const { outputs, grid } = heard;
    const size = outputs.embeddings.length / outputs.count;
    const sum = new Float32Array(size);
    for (let k = 0; k < outputs.count; k++) {
      const middleMs = Math.min(k * grid.hopMs + grid.windowMs / 2, grid.durationMs - 1);
      if (middleMs < startMs || middleMs >= endMs) continue;
      const row = unit(outputs.embeddings.subarray(k * size, (k + 1) * size));
      for (let i = 0; i < size; i++) sum[i] += row[i];
    }
    return unit(sum);
  }

  /** The parts of a hit that sound most like it. */
  async #alike(
    tenantId: TenantId,
    track: FoundTrack,
    direction: Float32Array,
  ): Promise<readonly TimeRange[]> {
    const heard = await this.#heard(tenantId, track.trackId, track.model);
    if (heard === undefined) return [];
    const { outputs, grid } = heard;
    const size = outputs.embeddings.length / outputs.count;
    if (size !== direction.length) return [];
    const query = unit(direction);
    const scores = Array.from({ length: outputs.count }, (_, k) =>
      unit(outputs.embeddings.subarray(k * size, (k + 1) * size)).reduce(
        (sum, value, i) => sum + value * query[i],
        0,
      ),
    );
    const best = scores.reduce((a, b) => Math.max(a, b), 0);
    return rangesWhere(
      grid,
      (k) => scores[k] > 0 && scores[k] >= best - highlightMargin,
      (k) => scores[k],
    )
      .sort((a, b) => totalMs([b]) * b.score - totalMs([a]) * a.score)
      .slice(0, mostHighlights)
      .map(({ startMs, endMs }) => ({ startMs, endMs }));
  }

  async #heard(
    tenantId: TenantId,
    trackId: TrackId,
    model: ModelRef,
  ): Promise<Readonly<{ outputs: SegmentOutputs; grid: SegmentGrid }> | undefined> {
    const kept = await this.store.hearingBy(tenantId, trackId, model);
    if (kept === undefined) return undefined;
    const { windowMs, hopMs } = kept;
    const outputs = decodeOutputs(kept.outputs);
    const { durationMs, count } = outputs;
    return { outputs, grid: { durationMs, count, windowMs, hopMs } };
  }
}

type Resembled = Readonly<{ model: ModelRef; direction: Float32Array; self: ReadonlySet<TrackId> }>;

function six(value: number): number {
  return Number(value.toFixed(6));
}
