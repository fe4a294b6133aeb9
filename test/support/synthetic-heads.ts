import { seededRandom, type CatalogId, type TenantId, type TrackId } from '@earmark/kernel';
import { newId, sql, type Database } from '@earmark/storage';
import { builtInModel } from '@earmark/transition';

const batchTracks = 1_000;

/**
 * Fills a database up with tracks that are copies of real ones: description and analysis of a real track, its tempo moved by
 * up to 10 %, and the vectors of its tails and heads turned away from the real ones by noise (cosine to the original about
 * .55 to .95). They have no audio and no fingerprint.
 *
 * @param heads how many heads there shall be in all
 * @returns heads and tracks there are then
 */
export async function fillWithSyntheticHeads(
  database: Database,
  heads: number,
  seed: number,
): Promise<{ heads: number; tracks: number }> {
  const { pool } = database;
  const random = seededRandom(seed);
  const { rows: real } = await pool.query<{
    tenantId: TenantId;
    catalogId: CatalogId;
    trackId: TrackId;
    seams: { side: string; ordinal: number; atMs: number; strength: number; code: string }[];
  }>(sql`
    SELECT s.tenant_id AS "tenantId", s.catalog_id AS "catalogId", s.track_id AS "trackId",
           json_agg(json_build_object('side', s.side, 'ordinal', s.ordinal, 'atMs', s.at_ms, 'strength', s.strength,
                                      'code', encode(s.code, 'hex')) ORDER BY s.side, s.ordinal) AS seams
      FROM track t
      JOIN track_seam s ON s.tenant_id = t.tenant_id AND s.catalog_id = t.catalog_id AND s.track_id = t.id
     WHERE coalesce(t.title, '') NOT LIKE 'synthetic %'
     GROUP BY s.tenant_id, s.catalog_id, s.track_id
     ORDER BY s.track_id`);
  const { rows: counted } = await pool.query<{ heads: number; tracks: number }>(sql`
    SELECT count(*) AS heads, count(DISTINCT track_id) AS tracks FROM track_seam WHERE side = 'head'`);
  const { dimensions } = builtInModel();
  let [headsNow, tracksNow] = [counted[0]?.heads ?? 0, counted[0]?.tracks ?? 0];
  while (headsNow < heads) {
    const batch: { id: TrackId; model: (typeof real)[number]; n: number }[] = [];
    while (headsNow < heads && batch.length < batchTracks) {
      const n = tracksNow++;
      const model = real[n % real.length];
      if (model === undefined) throw new Error('there is no analysed track to copy');
      batch.push({ id: newId('track'), model, n });
      headsNow += model.seams.filter(({ side }) => side === 'head').length;
    }
    const ids = batch.map(({ id }) => id);
    const models = batch.map(({ model }) => model.trackId);
    await database.transaction(async (client) => {
      // Rows are consistent by construction: no check of references, and the log of changes is written here, in one go.
      await client.query(sql`SET LOCAL session_replication_role = replica`);
      await client.query(sql`SET LOCAL synchronous_commit = off`);
      await client.query(sql`
        INSERT INTO track (tenant_id, catalog_id, id, status, title, artists, rights, duration_ms, content_hash,
                           fingerprint_config_id, explicit)
        SELECT t.tenant_id, t.catalog_id, new.id, 'ready', 'synthetic ' || new.n, ARRAY['Artist ' || new.n % 4000],
               CASE WHEN new.n % 3 = 0 THEN '{"territories":["DE","FR","US"]}'::jsonb END, t.duration_ms,
               encode(sha256(new.id::bytea), 'hex'), t.fingerprint_config_id, new.n % 10 = 0
          FROM unnest(${ids}::text[], ${models}::text[], ${batch.map(({ n: index }) => index)}::integer[]) AS new (id, model, n)
          JOIN track t ON t.id = new.model`);
      await client.query(sql`
        INSERT INTO track_analysis (tenant_id, catalog_id, track_id, analysis_version, model_id, duration_ms, tempo_bpm,
                                    tempo_confidence, key_tonic, key_mode, key_strength, integrated_lufs, range_lu,
                                    true_peak_dbtp, beats_ms, downbeats_ms, loudness_curve, details)
        SELECT a.tenant_id, a.catalog_id, new.id, a.analysis_version, a.model_id, a.duration_ms, a.tempo_bpm * new.tempo,
               a.tempo_confidence, a.key_tonic, a.key_mode, a.key_strength, a.integrated_lufs, a.range_lu,
               a.true_peak_dbtp, a.beats_ms, a.downbeats_ms, a.loudness_curve, a.details
          FROM unnest(${ids}::text[], ${models}::text[],
                      ${batch.map(() => 0.9 + 0.2 * random.next())}::double precision[]) AS new (id, model, tempo)
          JOIN track_analysis a ON a.track_id = new.model`);
      const seams = batch.flatMap(({ id, model }) => model.seams.map((seam) => ({ id, model, ...seam })));
      await client.query(sql`
        INSERT INTO track_seam (tenant_id, catalog_id, track_id, side, ordinal, at_ms, strength, features, code)
        SELECT * FROM unnest(
               ${seams.map(({ model }) => model.tenantId)}::text[], ${seams.map(({ model }) => model.catalogId)}::text[],
               ${seams.map(({ id }) => id)}::text[], ${seams.map(({ side }) => side)}::text[],
               ${seams.map(({ ordinal }) => ordinal)}::integer[], ${seams.map(({ atMs }) => atMs)}::bigint[],
               ${seams.map(({ strength }) => strength)}::double precision[], ${seams.map(() => Buffer.alloc(0))}::bytea[],
               ${seams.map(({ code }) => turned(Buffer.from(code, 'hex'), dimensions, random))}::bytea[])`);
      await client.query(sql`
        INSERT INTO transition_change (tenant_id, track_id)
        SELECT * FROM unnest(${batch.map(({ model }) => model.tenantId)}::text[], ${ids}::text[])`);
    });
  }
  return { heads: headsNow, tracks: tracksNow };
}

/** A code whose search vector was turned away by noise. */
function turned(code: Buffer, dimensions: number, random: { next(): number }): Buffer {
  const values = new Float32Array(Uint8Array.from(code).buffer);
  const noise = (0.3 + 1.2 * random.next()) / Math.sqrt(dimensions);
  let norm = 0;
  for (let d = 0; d < dimensions; d++) {
    values[d] += noise * (random.next() + random.next() + random.next() - 1.5) * 2;
    norm += values[d] * values[d];
  }
  for (let d = 0; d < dimensions; d++) values[d] /= Math.sqrt(norm);
  return Buffer.from(values.buffer);
}
