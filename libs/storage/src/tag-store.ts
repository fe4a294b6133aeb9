import { InvalidValueError, type TenantId, type TrackId } from '@earmark/kernel';
import type { Facet, ScoredRange, TagResult, TagVerdict, TrackTag } from '@earmark/tagging';
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
    /** Row-major [segments, size], not normalised; stored with 8 bits. */
    segmentEmbeddings?: Float32Array;
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
               shifts, ambiguous, sentence, embedding, segment_embeddings, energy, brightness_hz, onset_rate_hz)
        VALUES (${tenantId}, ${catalogId}, ${trackId}, ${model.id}, ${model.version}, ${tagging.ontology.version},
                ${tagging.durationMs}, ${JSON.stringify(tagging.segments)}, ${JSON.stringify(tagging.shifts)},
                ${JSON.stringify(tagging.ambiguous)}, ${JSON.stringify(tagging.sentence)},
                ${floatBytes(tagging.embedding)}, ${quantized(tagging)}, ${mean((one) => one.energy)},
                ${mean((one) => one.brightnessHz)}, ${mean((one) => one.onsetRateHz)})`);
      await insertTags(client, { tenantId, catalogId, trackId, model }, tagging.tags);
    });
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
       ORDER BY created_at DESC`);
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

function quantized({ segmentEmbeddings, embedding }: NewTagging): Buffer | null {
  if (segmentEmbeddings === undefined) return null;
  const size = embedding.length;
  const bytes = Buffer.alloc(segmentEmbeddings.length);
  for (let from = 0; from < segmentEmbeddings.length; from += size) {
    const one = segmentEmbeddings.subarray(from, from + size);
    const length = Math.hypot(...one);
    if (length > 0) one.forEach((value, i) => bytes.writeInt8(Math.round((127 * value) / length), from + i));
  }
  return bytes;
}
