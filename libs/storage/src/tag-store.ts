import { InvalidValueError, type JobId, type TenantId, type TrackId } from '@earmark/kernel';
import type { Facet, ScoredRange, TagDiff, TagResult, TagVerdict, TrackTag } from '@earmark/tagging';
import type { ClientBase } from 'pg';
import type { Database } from './database.js';
import type { ModelRef } from './model-version-store.js';
import { sql } from './sql.js';

/** Everything a model said of a track, with its mean embedding. */
export type StoredTagging = Omit<TagResult, 'scores' | 'embedding'> & Readonly<{ embedding: Float32Array }>;

/** What to store of a track. */
export type NewTagging = Omit<TagResult, 'scores' | 'embedding'> &
  Readonly<{
    /** Mean over the segments with music. */
    embedding: Float32Array;
    /** What the network heard, for other calibrations of it. */
    hearing?: Hearing;
    /** Change that a re-tagging job reports of this track, stored in the same transaction. */
    retag?: Readonly<{ jobId: JobId; change: RetagChange }>;
  }>;

/** Outputs of a network on a track. */
export type Hearing = Readonly<{
  /** SHA-256 of network and front end. */
  network: string;
  /** Made by `encodeOutputs`. */
  outputs: Uint8Array;
}>;

/** What a re-tagging changes in a track, or why it could not hear it. */
export type RetagChange = Partial<TagDiff> &
  Readonly<{
    trackId: TrackId;
    path?: string;
    title?: string;
    /** Whose tags are compared with; absent: the track had none. */
    from?: ModelRef;
    to: ModelRef;
    error?: Readonly<{ code: string; title: string }>;
  }>;

type TaggingRow = Readonly<{
  ontologyVersion: string;
  durationMs: number;
  segments: TagResult['segments'];
  shifts: TagResult['shifts'];
  ambiguous: TagResult['ambiguous'];
  sentence: TagResult['sentence'];
  embedding: Buffer;
}>;

type TagRow = Readonly<{ facet: Facet; tag: string; score: number; segments: readonly ScoredRange[] }>;

const ontologyId = 'earmark';

/** Tags of tracks in PostgreSQL: one tagging a model version, and the verdicts of people apart from them. */
export class PgTagStore {
  private readonly database: Database;

  constructor(database: Database) {
    this.database = database;
  }

  /**
   * Stores what a registered model said of a track, in place of what the same version said before.
   *
   * @throws {InvalidValueError} `catalog.no-such-track`
   */
  save(tenantId: TenantId, trackId: TrackId, tagging: NewTagging): Promise<void> {
    return this.database.transaction(async (client) => {
      const catalogId = await catalogOf(client, tenantId, trackId);
      const { model } = tagging;
      await client.query(sql`
        DELETE FROM track_tagging
         WHERE tenant_id = ${tenantId} AND track_id = ${trackId}
           AND model_id = ${model.id} AND model_version = ${model.version}`);
      const heard = tagging.segments.flatMap(({ descriptors }) =>
        descriptors !== undefined && descriptors.energy > 0 ? [descriptors] : [],
      );
      const mean = (of: (one: (typeof heard)[number]) => number): number | null =>
        heard.length === 0 ? null : heard.reduce((sum, one) => sum + of(one), 0) / heard.length;
      await client.query(sql`
        INSERT INTO track_tagging (
               tenant_id, catalog_id, track_id, model_id, model_version, ontology_version, duration_ms, segments,
               shifts, ambiguous, sentence, embedding, network, energy, brightness_hz, onset_rate_hz)
        VALUES (${tenantId}, ${catalogId}, ${trackId}, ${model.id}, ${model.version}, ${tagging.ontology.version},
                ${tagging.durationMs}, ${JSON.stringify(tagging.segments)}, ${JSON.stringify(tagging.shifts)},
                ${JSON.stringify(tagging.ambiguous)}, ${JSON.stringify(tagging.sentence)},
                ${floatBytes(tagging.embedding)}, ${tagging.hearing?.network ?? null}, ${mean((one) => one.energy)},
                ${mean((one) => one.brightnessHz)}, ${mean((one) => one.onsetRateHz)})`);
      const key = { tenantId, catalogId, trackId, model };
      await insertTags(client, key, tagging.tags);
      if (tagging.hearing !== undefined) await insertHearing(client, key, tagging.hearing);
      if (tagging.retag !== undefined) await insertChange(client, tenantId, tagging.retag);
    });
  }

  /** What a network heard in a track, as `encodeOutputs` made it; undefined if it never did. */
  async hearing(tenantId: TenantId, trackId: TrackId, network: string): Promise<Uint8Array | undefined> {
    const { rows } = await this.database.pool.query<{ outputs: Buffer }>(sql`
      SELECT outputs FROM track_hearing
       WHERE tenant_id = ${tenantId} AND track_id = ${trackId} AND network = ${network}`);
    return rows[0]?.outputs;
  }

  /** What the network of a model heard in a track, and its segment grid in milliseconds; undefined if it is not kept. */
  async hearingBy(
    tenantId: TenantId,
    trackId: TrackId,
    model: ModelRef,
  ): Promise<Readonly<{ outputs: Uint8Array; windowMs: number; hopMs: number }> | undefined> {
    const { rows } = await this.database.pool.query<{ outputs: Buffer; windowMs: number; hopMs: number }>(sql`
      SELECT h.outputs,
             1000 * (m.manifest #>> '{input,frames}')::double precision * frame.seconds AS "windowMs",
             1000 * (m.manifest #>> '{input,hopFrames}')::double precision * frame.seconds AS "hopMs"
        FROM track_tagging g
        JOIN track_hearing h USING (tenant_id, catalog_id, track_id, network)
        JOIN model_version m ON m.id = g.model_id AND m.version = g.model_version
       CROSS JOIN LATERAL (
             SELECT (m.manifest #>> '{frontEnd,hopSamples}')::double precision
                    / (m.manifest #>> '{frontEnd,sampleRateHz}')::double precision AS seconds) AS frame
       WHERE g.tenant_id = ${tenantId} AND g.track_id = ${trackId}
         AND g.model_id = ${model.id} AND g.model_version = ${model.version}`);
    return rows[0];
  }

  /** Keeps what a re-tagging job found out about a track without changing its tags. */
  async report(tenantId: TenantId, jobId: JobId, change: RetagChange): Promise<void> {
    await insertChange(this.database.pool, tenantId, { jobId, change });
  }

  /** What a re-tagging job changed, in the order of tracks. */
  async changes(
    tenantId: TenantId,
    jobId: JobId,
    page: Readonly<{ limit: number; after?: TrackId }>,
  ): Promise<readonly RetagChange[]> {
    const { rows } = await this.database.pool.query<{ change: RetagChange }>(sql`
      SELECT change FROM retag_change
       WHERE tenant_id = ${tenantId} AND job_id = ${jobId} AND track_id > ${page.after ?? ''}
       ORDER BY track_id
       LIMIT ${page.limit}`);
    return rows.map(({ change }) => change);
  }

  /**
   * The model that speaks for a track: the active one if it has heard it, else the last that has.
   *
   * @param active absent: none has been promoted
   */
  async speaker(
    tenantId: TenantId,
    trackId: TrackId,
    active: ModelRef | undefined,
  ): Promise<ModelRef | undefined> {
    const heardBy = await this.taggedBy(tenantId, trackId);
    return heardBy.find(({ id, version }) => id === active?.id && version === active.version) ?? heardBy[0];
  }

  /** What a version of a model said of a track; undefined if it has not heard it. */
  async find(tenantId: TenantId, trackId: TrackId, model: ModelRef): Promise<StoredTagging | undefined> {
    const { pool } = this.database;
    const { rows } = await pool.query<TaggingRow>(sql`
      SELECT ontology_version AS "ontologyVersion", duration_ms AS "durationMs", segments, shifts, ambiguous, sentence,
             embedding
        FROM track_tagging
       WHERE tenant_id = ${tenantId} AND track_id = ${trackId}
         AND model_id = ${model.id} AND model_version = ${model.version}`);
    const row = rows[0];
    if (row === undefined) return undefined;
    const { ontologyVersion, embedding, ...rest } = row;
    return {
      ...rest,
      model: { id: model.id, version: model.version },
      ontology: { id: ontologyId, version: ontologyVersion },
      tags: await this.#tags(tenantId, trackId, model),
      embedding: floatsOf(embedding),
    };
  }

  /** Model versions that have heard a track, the latest first. */
  async taggedBy(tenantId: TenantId, trackId: TrackId): Promise<readonly ModelRef[]> {
    const { rows } = await this.database.pool.query<ModelRef>(sql`
      SELECT model_id AS id, model_version AS version
        FROM track_tagging
       WHERE tenant_id = ${tenantId} AND track_id = ${trackId}
       ORDER BY created_at DESC, model_id DESC, model_version DESC`);
    return rows;
  }

  /** What people said of a track's tags, in the order of facet and tag. */
  async verdicts(tenantId: TenantId, trackId: TrackId): Promise<readonly TagVerdict[]> {
    const { rows } = await this.database.pool.query<TagVerdict>(sql`
      SELECT facet, tag, verdict, author, (extract(epoch FROM decided_at) * 1000)::bigint AS "decidedAtMs"
        FROM tag_verdict
       WHERE tenant_id = ${tenantId} AND track_id = ${trackId}
       ORDER BY facet, tag`);
    return rows;
  }

  /**
   * Keeps a person's verdict, in place of an earlier one on the same tag.
   *
   * @throws {InvalidValueError} `catalog.no-such-track`
   */
  judge(tenantId: TenantId, trackId: TrackId, verdict: Omit<TagVerdict, 'decidedAtMs'>): Promise<void> {
    return this.database.transaction(async (client) => {
      const catalogId = await catalogOf(client, tenantId, trackId);
      await client.query(sql`
        INSERT INTO tag_verdict (tenant_id, catalog_id, track_id, facet, tag, verdict, author)
        VALUES (${tenantId}, ${catalogId}, ${trackId}, ${verdict.facet}, ${verdict.tag}, ${verdict.verdict},
                ${verdict.author})
        ON CONFLICT (tenant_id, catalog_id, track_id, facet, tag)
        DO UPDATE SET verdict = EXCLUDED.verdict, author = EXCLUDED.author, decided_at = now()`);
    });
  }

  /** Takes a verdict back; tells whether there was one. */
  async unjudge(tenantId: TenantId, trackId: TrackId, facet: Facet, tag: string): Promise<boolean> {
    const { rowCount } = await this.database.pool.query(sql`
      DELETE FROM tag_verdict
       WHERE tenant_id = ${tenantId} AND track_id = ${trackId} AND facet = ${facet} AND tag = ${tag}`);
    return (rowCount ?? 0) > 0;
  }

  async #tags(tenantId: TenantId, trackId: TrackId, model: ModelRef): Promise<readonly TrackTag[]> {
    const { rows } = await this.database.pool.query<TagRow>(sql`
      SELECT t.facet, t.tag, t.score,
             coalesce(jsonb_agg(jsonb_build_object('startMs', s.start_ms, 'endMs', s.end_ms, 'score', s.score)
                      ORDER BY s.start_ms) FILTER (WHERE s.start_ms IS NOT NULL), '[]') AS segments
        FROM track_tag t
        LEFT JOIN segment_tag s USING (tenant_id, catalog_id, track_id, model_id, model_version, facet, tag)
       WHERE t.tenant_id = ${tenantId} AND t.track_id = ${trackId}
         AND t.model_id = ${model.id} AND t.model_version = ${model.version}
       GROUP BY t.facet, t.tag, t.score
       ORDER BY array_position(ARRAY['genre', 'scene', 'instrument', 'mood', 'activity'], t.facet), t.score DESC, t.tag`);
    return rows;
  }
}

type TaggingKey = Readonly<{ tenantId: TenantId; catalogId: string; trackId: TrackId; model: ModelRef }>;

async function catalogOf(client: ClientBase, tenantId: TenantId, trackId: TrackId): Promise<string> {
  const { rows } = await client.query<{ catalogId: string }>(sql`
    SELECT catalog_id AS "catalogId" FROM track WHERE tenant_id = ${tenantId} AND id = ${trackId} FOR SHARE`);
  const row = rows[0];
  if (row === undefined)
    throw new InvalidValueError('catalog.no-such-track', '/trackId', `there is no track ${trackId}`);
  return row.catalogId;
}

async function insertTags(client: ClientBase, key: TaggingKey, tags: readonly TrackTag[]): Promise<void> {
  const { tenantId, catalogId, trackId, model } = key;
  const rows = tags.map(({ facet, tag, score }) => ({ facet, tag, score }));
  await client.query(sql`
    INSERT INTO track_tag (tenant_id, catalog_id, track_id, model_id, model_version, facet, tag, score)
    SELECT ${tenantId}, ${catalogId}, ${trackId}, ${model.id}, ${model.version}, facet, tag, score
      FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS t (facet text, tag text, score double precision)`);
  const ranges = tags.flatMap(({ facet, tag, segments }) =>
    segments.map(({ startMs, endMs, score }) => ({ facet, tag, startMs, endMs, score })),
  );
  await client.query(sql`
    INSERT INTO segment_tag (
           tenant_id, catalog_id, track_id, model_id, model_version, facet, tag, start_ms, end_ms, score)
    SELECT ${tenantId}, ${catalogId}, ${trackId}, ${model.id}, ${model.version}, facet, tag, "startMs", "endMs", score
      FROM jsonb_to_recordset(${JSON.stringify(ranges)}::jsonb) AS t (
             facet text, tag text, "startMs" bigint, "endMs" bigint, score double precision)`);
}

/** float32, little endian. */
function floatBytes(values: Float32Array): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, i) => bytes.writeFloatLE(value, i * 4));
  return bytes;
}

/** Reads what {@link floatBytes} wrote. */
export function floatsOf(bytes: Buffer): Float32Array {
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(i * 4));
}

async function insertHearing(
  client: ClientBase,
  { tenantId, catalogId, trackId }: TaggingKey,
  { network, outputs }: Hearing,
): Promise<void> {
  await client.query(sql`
    INSERT INTO track_hearing (tenant_id, catalog_id, track_id, network, outputs)
    VALUES (${tenantId}, ${catalogId}, ${trackId}, ${network},
            ${Buffer.from(outputs.buffer, outputs.byteOffset, outputs.byteLength)})
    ON CONFLICT (tenant_id, catalog_id, track_id, network)
    DO UPDATE SET outputs = excluded.outputs, created_at = now()`);
}

async function insertChange(
  client: Pick<ClientBase, 'query'>,
  tenantId: TenantId,
  { jobId, change }: NonNullable<NewTagging['retag']>,
): Promise<void> {
  await client.query(sql`
    INSERT INTO retag_change (tenant_id, job_id, track_id, change)
    VALUES (${tenantId}, ${jobId}, ${change.trackId}, ${JSON.stringify(change)})
    ON CONFLICT (tenant_id, job_id, track_id) DO UPDATE SET change = excluded.change`);
}
