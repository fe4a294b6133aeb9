import type { RecordingRights } from '@earmark/catalog';
import type { CatalogId, TenantId, TrackId } from '@earmark/kernel';
import type {
  CodedSeam,
  HeadChange,
  NewProfile,
  Side,
  StoredProfile,
  StoredSeam,
  TrackHeads,
  TransitionStore,
} from '@earmark/transition';
import type { ClientBase } from 'pg';
import type { Database } from './database.js';
import { prepared, sql } from './sql.js';

type Details = Pick<StoredProfile, 'cues' | 'edges' | 'sections'>;

type ProfileRow = Readonly<{
  trackId: TrackId;
  catalogId: CatalogId;
  durationMs: number;
  tempoBpm: number | null;
  tempoConfidence: number;
  keyTonic: NonNullable<StoredProfile['key']>['tonic'] | null;
  keyMode: NonNullable<StoredProfile['key']>['mode'] | null;
  keyStrength: number | null;
  integratedLufs: number;
  rangeLu: number;
  truePeakDbtp: number;
  beats: Buffer;
  downbeats: Buffer;
  loudnessCurve: Buffer;
  details: Details;
  vocals: readonly Readonly<{ startMs: number; endMs: number }>[] | null;
}>;

type SeamRow = Readonly<{
  trackId: TrackId;
  side: Side;
  ordinal: number;
  atMs: number;
  strength: number;
  code: Buffer;
}>;

/** What an answer and its filters need of a track's description. */
export type TrackFacts = Readonly<{
  id: TrackId;
  title?: string;
  artists: readonly string[];
  rights?: RecordingRights;
  /** Absent: not known. */
  explicit?: boolean;
}>;

type FactsRow = Readonly<{
  id: TrackId;
  title: string | null;
  artists: readonly string[];
  rights: RecordingRights | null;
  explicit: boolean | null;
}>;

type ChangeRow = Readonly<{
  sequence: number;
  tenantId: TenantId;
  trackId: TrackId;
  catalogId: CatalogId | null;
  modelId: string | null;
  tempoBpm: number | null;
  atMs: number[] | null;
  strength: number[] | null;
  /** All codes, one after the other. */
  codes: Buffer | null;
}>;

/** Profiles for transitions in PostgreSQL. */
export class PgTransitionStore implements TransitionStore {
  private readonly database: Database;

  constructor(database: Database) {
    this.database = database;
  }

  save(tenantId: TenantId, trackId: TrackId, profile: NewProfile): Promise<boolean> {
    return this.database.transaction(async (client) => {
      const { rows } = await client.query<{ catalogId: CatalogId }>(sql`
        SELECT catalog_id AS "catalogId" FROM track WHERE tenant_id = ${tenantId} AND id = ${trackId} FOR SHARE`);
      const catalogId = rows[0]?.catalogId;
      if (catalogId === undefined) return false;
      await client.query(
        sql`DELETE FROM track_analysis WHERE tenant_id = ${tenantId} AND track_id = ${trackId}`,
      );
      await insertAnalysis(client, { tenantId, catalogId, trackId }, profile);
      for (const side of ['head', 'tail'] as const) {
        await insertSeams(
          client,
          { tenantId, catalogId, trackId },
          side,
          profile.seams.filter((seam) => seam.side === side),
        );
      }
      return true;
    });
  }

  async find(tenantId: TenantId, trackIds: readonly TrackId[]): Promise<readonly StoredProfile[]> {
    if (trackIds.length === 0) return [];
    const { rows } = await this.database.pool.query<ProfileRow>(sql`
      SELECT track_id AS "trackId", catalog_id AS "catalogId", duration_ms AS "durationMs", tempo_bpm AS "tempoBpm",
             tempo_confidence AS "tempoConfidence", key_tonic AS "keyTonic", key_mode AS "keyMode",
             key_strength AS "keyStrength", integrated_lufs AS "integratedLufs", range_lu AS "rangeLu",
             true_peak_dbtp AS "truePeakDbtp", beats_ms AS beats, downbeats_ms AS downbeats,
             loudness_curve AS "loudnessCurve", details,
             (SELECT json_agg(json_build_object('startMs', start_ms, 'endMs', end_ms) ORDER BY start_ms)
                FROM segment_tag s
               WHERE s.tenant_id = a.tenant_id AND s.catalog_id = a.catalog_id AND s.track_id = a.track_id
                 AND (s.facet, s.tag) IN (('instrument', 'vocals'), ('instrument', 'male-vocal'),
                                          ('instrument', 'female-vocal'), ('instrument', 'choir'),
                                          ('activity', 'speech'))) AS vocals
        FROM track_analysis a
       WHERE tenant_id = ${tenantId} AND track_id = ANY(${trackIds})`);
    return rows.map(profileFromRow);
  }

  async seams(tenantId: TenantId, trackIds: readonly TrackId[], side: Side): Promise<readonly StoredSeam[]> {
    const { rows } = await this.database.pool.query<SeamRow>(sql`
      SELECT track_id AS "trackId", side, ordinal, at_ms AS "atMs", strength, code
        FROM track_seam
       WHERE tenant_id = ${tenantId} AND track_id = ANY(${trackIds}) AND side = ${side}
       ORDER BY track_id, ordinal`);
    return rows.map(({ code, ...row }) => ({ ...row, code: floatsOf(code) }));
  }

  async changes(afterSequence: number, limit: number): Promise<readonly HeadChange[]> {
    const { rows } = await this.database.pool.query<ChangeRow>(sql`
      SELECT c.sequence, c.tenant_id AS "tenantId", c.track_id AS "trackId", a.catalog_id AS "catalogId",
             a.model_id AS "modelId", a.tempo_bpm AS "tempoBpm", s.*
        FROM transition_change c
        LEFT JOIN track_analysis a ON a.tenant_id = c.tenant_id AND a.track_id = c.track_id
        LEFT JOIN LATERAL (
               SELECT array_agg(at_ms::integer ORDER BY ordinal) AS "atMs", array_agg(strength ORDER BY ordinal) AS strength,
                      string_agg(code, ''::bytea ORDER BY ordinal) AS codes
                 FROM track_seam
                WHERE tenant_id = a.tenant_id AND track_id = a.track_id AND side = 'head') s ON true
       WHERE c.sequence > ${afterSequence}
       ORDER BY c.sequence
       LIMIT ${limit}`);
    return rows.map((row) => {
      const { sequence, tenantId, trackId } = row;
      const heads = headsFromRow(row);
      return { sequence, tenantId, trackId, ...(heads && { heads }) };
    });
  }

  /**
   * Gives the seams of a track codes of another model, made from their stored features.
   *
   * @param encode gives the code of a feature row; absent if the row is none that the model reads
   * @returns false if the track has no profile of this analysis version, or features that the model does not read
   */
  recode(
    tenantId: TenantId,
    trackId: TrackId,
    versions: Readonly<{ analysisVersion: string; modelId: string }>,
    encode: (features: Float32Array, side: Side) => Float32Array | undefined,
  ): Promise<boolean> {
    return this.database.transaction(async (client) => {
      const { rows } = await client.query<Readonly<{ side: Side; ordinal: number; features: Buffer }>>(sql`
        SELECT s.side, s.ordinal, s.features
          FROM track_seam s
          JOIN track_analysis a USING (tenant_id, catalog_id, track_id)
         WHERE s.tenant_id = ${tenantId} AND s.track_id = ${trackId} AND a.analysis_version = ${versions.analysisVersion}
           FOR UPDATE OF a`);
      const codes = rows.map(({ features, side }) => encode(floatsOf(features), side));
      const known = codes.flatMap((code) => (code === undefined ? [] : [bytesOf(code)]));
      if (rows.length === 0 || known.length < rows.length) return false;
      await client.query(sql`
        UPDATE track_seam s
           SET code = new.code
          FROM unnest(${rows.map(({ side }) => side)}::text[], ${rows.map(({ ordinal }) => ordinal)}::integer[],
                      ${known}::bytea[]) AS new (side, ordinal, code)
         WHERE s.tenant_id = ${tenantId} AND s.track_id = ${trackId} AND s.side = new.side AND s.ordinal = new.ordinal`);
      await client.query(sql`
        UPDATE track_analysis SET model_id = ${versions.modelId}
         WHERE tenant_id = ${tenantId} AND track_id = ${trackId}`);
      return true;
    });
  }

  /** Descriptions of ready tracks, in no order; others are left out. */
  async facts(tenantId: TenantId, trackIds: readonly TrackId[]): Promise<readonly TrackFacts[]> {
    if (trackIds.length === 0) return [];
    // One row of JSON: the driver takes an array of texts apart letter by letter.
    const facts = prepared(
      'track-facts',
      sql`
      SELECT json_agg(json_build_object('id', id, 'title', title, 'artists', artists, 'rights', rights,
                                        'explicit', explicit)) AS facts
        FROM track
       WHERE tenant_id = ${tenantId} AND id = ANY(${trackIds}) AND status = 'ready'`,
    );
    const { rows } = await this.database.pool.query<{ facts: readonly FactsRow[] | null }>(facts);
    return (rows[0]?.facts ?? []).map(({ id, artists, title, rights, explicit }) => ({
      id,
      artists,
      ...(title !== null && { title }),
      ...(rights !== null && { rights }),
      ...(explicit !== null && { explicit }),
    }));
  }

  /** Whether a track has a profile of these versions. */
  async isCurrent(
    tenantId: TenantId,
    trackId: TrackId,
    versions: Readonly<{ analysisVersion: string; modelId: string }>,
  ): Promise<boolean> {
    const { rows } = await this.database.pool.query<{ current: boolean }>(sql`
      SELECT EXISTS (
               SELECT FROM track_analysis
                WHERE tenant_id = ${tenantId} AND track_id = ${trackId}
                  AND analysis_version = ${versions.analysisVersion} AND model_id = ${versions.modelId}) AS current`);
    return rows[0]?.current ?? false;
  }

  /** Ready tracks without a profile of these versions, oldest first: what a backfill has to do. */
  async missing(
    tenantId: TenantId,
    versions: Readonly<{ analysisVersion: string; modelId: string }>,
    page: Readonly<{ limit: number; after?: TrackId }>,
  ): Promise<readonly TrackId[]> {
    const { rows } = await this.database.pool.query<{ id: TrackId }>(sql`
      SELECT t.id
        FROM track t
        LEFT JOIN track_analysis a ON a.tenant_id = t.tenant_id AND a.catalog_id = t.catalog_id AND a.track_id = t.id
       WHERE t.tenant_id = ${tenantId} AND t.status = 'ready' AND t.id > ${page.after ?? ''}
         AND (a.track_id IS NULL OR a.analysis_version <> ${versions.analysisVersion} OR a.model_id <> ${versions.modelId})
       ORDER BY t.id
       LIMIT ${page.limit}`);
    return rows.map(({ id }) => id);
  }
}

type TrackKey = Readonly<{ tenantId: TenantId; catalogId: CatalogId; trackId: TrackId }>;

async function insertAnalysis(
  client: ClientBase,
  { tenantId, catalogId, trackId }: TrackKey,
  { analysis, analysisVersion, loudnessCurve, edges, modelId }: NewProfile,
): Promise<void> {
  const { durationMs, tempoBpm, tempoConfidence, beatsMs, downbeatsMs, key, loudness, ...details } = analysis;
  await client.query(sql`
    INSERT INTO track_analysis (
           tenant_id, catalog_id, track_id, analysis_version, model_id, duration_ms, tempo_bpm, tempo_confidence,
           key_tonic, key_mode, key_strength, integrated_lufs, range_lu, true_peak_dbtp, beats_ms, downbeats_ms,
           loudness_curve, details)
    VALUES (${tenantId}, ${catalogId}, ${trackId}, ${analysisVersion}, ${modelId}, ${durationMs}, ${tempoBpm ?? null},
            ${tempoConfidence}, ${key?.tonic ?? null}, ${key?.mode ?? null}, ${key?.strength ?? null},
            ${loudness.integratedLufs}, ${loudness.rangeLu}, ${loudness.truePeakDbtp},
            ${bytesOf(Int32Array.from(beatsMs))}, ${bytesOf(Int32Array.from(downbeatsMs))},
            ${bytesOf(Int16Array.from(loudnessCurve, (lufs) => Math.round(lufs * 10)))},
            ${JSON.stringify({ ...details, edges })})`);
}

async function insertSeams(
  client: ClientBase,
  { tenantId, catalogId, trackId }: TrackKey,
  side: Side,
  seams: readonly CodedSeam[],
): Promise<void> {
  if (seams.length === 0) return;
  const ordinals = seams.map((_, i) => i);
  await client.query(sql`
    INSERT INTO track_seam (tenant_id, catalog_id, track_id, side, ordinal, at_ms, strength, features, code)
    SELECT ${tenantId}, ${catalogId}, ${trackId}, ${side}, *
      FROM unnest(${ordinals}::integer[], ${seams.map(({ atMs }) => Math.round(atMs))}::bigint[],
                  ${seams.map(({ strength }) => strength)}::double precision[],
                  ${seams.map(({ features }) => bytesOf(features))}::bytea[],
                  ${seams.map(({ code }) => bytesOf(code))}::bytea[])`);
}

function profileFromRow(row: ProfileRow): StoredProfile {
  const { trackId, catalogId, durationMs, tempoConfidence, integratedLufs, rangeLu, truePeakDbtp } = row;
  const { keyTonic, keyMode, keyStrength, tempoBpm, details } = row;
  return {
    trackId,
    catalogId,
    durationMs,
    tempoConfidence,
    loudness: { integratedLufs, rangeLu, truePeakDbtp },
    beatsMs: integersOf(row.beats),
    downbeatsMs: integersOf(row.downbeats),
    loudnessCurve: tenthsOf(row.loudnessCurve),
    cues: details.cues,
    edges: details.edges,
    sections: details.sections,
    ...(row.vocals !== null && { vocals: row.vocals }),
    ...(tempoBpm !== null && { tempoBpm }),
    ...(keyTonic !== null &&
      keyMode !== null && { key: { tonic: keyTonic, mode: keyMode, strength: keyStrength ?? 0 } }),
  };
}

function headsFromRow(row: ChangeRow): TrackHeads | undefined {
  const { tenantId, trackId, catalogId, modelId, tempoBpm, atMs, strength, codes } = row;
  if (catalogId === null || modelId === null || atMs === null || strength === null || codes === null)
    return undefined;
  const values = floatsOf(codes);
  const codeSize = values.length / atMs.length;
  return {
    tenantId,
    catalogId,
    trackId,
    modelId,
    ...(tempoBpm !== null && { tempoBpm }),
    heads: atMs.map((at, ordinal) => ({
      ordinal,
      atMs: at,
      strength: strength[ordinal] ?? 0,
      code: values.subarray(ordinal * codeSize, (ordinal + 1) * codeSize),
    })),
  };
}

function bytesOf(values: Float32Array | Int32Array | Int16Array): Buffer {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength);
}

function floatsOf(bytes: Buffer): Float32Array {
  return new Float32Array(aligned(bytes), 0, bytes.byteLength / 4);
}

function integersOf(bytes: Buffer): readonly number[] {
  return Array.from(new Int32Array(aligned(bytes), 0, bytes.byteLength / 4));
}

function tenthsOf(bytes: Buffer): readonly number[] {
  return Array.from(new Int16Array(aligned(bytes), 0, bytes.byteLength / 2), (tenths) => tenths / 10);
}

/** A copy: slices of the driver's buffer start anywhere. */
function aligned(bytes: Buffer): ArrayBuffer {
  return Uint8Array.from(bytes).buffer;
}
