import type { TenantId, TrackId } from '@earmark/kernel';
import type { ModelRef, PgTagSearch } from '@earmark/storage';

/** A track and the cosine of its embedding to the query, -1..1. */
export type Neighbour = Readonly<{ trackId: TrackId; similarity: number }>;

type Vectors = {
  latestUs: number;
  readonly rows: Map<TrackId, Float32Array>;
};

const pageLength = 2000;

/**
 * Mean embeddings of the tracks that a model has heard, in memory, brought up to date before each question.
 *
 * Every vector is compared: 10 ms for 20,000 tracks, exact, and any filter comes for nothing. A graph index answers in
 * 0.7 ms and costs half a millisecond of CPU a track whenever it is built, so that it pays from about 100,000 tracks on.
 */
export class EmbeddingIndex {
  readonly #known = new Map<string, Vectors>();

  constructor(private readonly search: PgTagSearch) {}

  /**
   * Compares tracks with a direction.
   *
   * @param query any length
   * @param among absent: every track that the model has heard
   * @returns in no order
   */
  async compare(
    tenantId: TenantId,
    model: ModelRef,
    query: Float32Array,
    among?: ReadonlySet<TrackId>,
  ): Promise<readonly Neighbour[]> {
    const { rows } = await this.#vectors(tenantId, model);
    const direction = unit(query);
    const found: Neighbour[] = [];
    for (const [trackId, row] of rows) {
      if (among !== undefined && !among.has(trackId)) continue;
      let similarity = 0;
      for (let i = 0; i < row.length; i++) similarity += row[i] * direction[i];
      found.push({ trackId, similarity });
    }
    return found;
  }

  /** Direction of a track; absent if the model has not heard it. */
  async vectorOf(tenantId: TenantId, model: ModelRef, trackId: TrackId): Promise<Float32Array | undefined> {
    return (await this.#vectors(tenantId, model)).rows.get(trackId);
  }

  async #vectors(tenantId: TenantId, model: ModelRef): Promise<Vectors> {
    const key = `${tenantId}/${model.id}@${model.version}`;
    const stamp = await this.search.stamp(tenantId, model);
    const known = this.#known.get(key);
    if (known?.latestUs === stamp.latestUs && known.rows.size === stamp.tracks) return known;
    // What was tagged since; all of it when tracks have gone.
    const base = known ?? { latestUs: 0, rows: new Map<TrackId, Float32Array>() };
    await this.#load(base, tenantId, model);
    if (base.rows.size !== stamp.tracks) {
      base.rows.clear();
      base.latestUs = 0;
      await this.#load(base, tenantId, model);
    }
    base.latestUs = stamp.latestUs;
    this.#known.set(key, base);
    return base;
  }

  async #load(into: Vectors, tenantId: TenantId, model: ModelRef): Promise<void> {
    let after: TrackId | undefined;
    for (;;) {
      const page = await this.search.embeddings(tenantId, model, {
        limit: pageLength,
        sinceUs: into.latestUs,
        ...(after !== undefined && { after }),
      });
      for (const { trackId, embedding } of page) into.rows.set(trackId, unit(embedding));
      after = page.at(-1)?.trackId;
      if (page.length < pageLength) return;
    }
  }
}

/** The same direction with length 1; zeros stay zeros. */
export function unit(values: Float32Array): Float32Array {
  const length = Math.hypot(...values);
  return length === 0 ? values : values.map((value) => value / length);
}
