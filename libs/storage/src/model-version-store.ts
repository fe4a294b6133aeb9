import { InvalidValueError, type TenantId } from '@earmark/kernel';
import type { Pool } from 'pg';
import { sql } from './sql.js';

/** A version of a model. */
export type ModelRef = Readonly<{ id: string; version: string }>;

/** A version to remember. */
export type NewModelVersion = ModelRef &
  Readonly<{
    /** Of the network's file. */
    sha256: string;
    /** SHA-256 of all that decides what it says. */
    voice: string;
    manifest: unknown;
  }>;

/** A version that has been used here. */
export type UsedModel = ModelRef &
  Readonly<{
    /** Tracks of the tenant that it has tagged. */
    tracks: number;
    /** When it was first used. */
    registeredAtMs: number;
    manifest: unknown;
  }>;

/** The models that have been used here, and which of them speaks for a tenant. */
export class PgModelVersionStore {
  private readonly pool: Pool;

  constructor(pool: Pool) {
    this.pool = pool;
  }

  /**
   * Remembers a model with its manifest; once known, a version never changes.
   *
   * @throws {InvalidValueError} `model.version-taken` if the version is known with another network or voice
   */
  async register(model: NewModelVersion): Promise<void> {
    const { rows } = await this.pool.query<{ sha256: string; voice: string }>(sql`
      INSERT INTO model_version (id, version, sha256, voice, manifest)
      VALUES (${model.id}, ${model.version}, ${model.sha256}, ${model.voice}, ${JSON.stringify(model.manifest)})
      ON CONFLICT (id, version) DO UPDATE SET voice = coalesce(model_version.voice, excluded.voice)
      RETURNING sha256, voice`);
    const [known] = rows;
    if (known?.sha256 !== model.sha256 || known.voice !== model.voice) {
      throw new InvalidValueError(
        'model.version-taken',
        '/version',
        `${model.id}@${model.version} is already known with another network or calibration; give it a new version`,
      );
    }
  }

  /** Every known model, the newest registration first. */
  async list(): Promise<readonly ModelRef[]> {
    const { rows } = await this.pool.query<ModelRef>(sql`
      SELECT id, version FROM model_version ORDER BY created_at DESC, id, version`);
    return rows;
  }

  /** Every known model with the tenant's tracks that it has tagged, by id, the newest registration first. */
  async used(tenantId: TenantId): Promise<readonly UsedModel[]> {
    const { rows } = await this.pool.query<UsedModel>(sql`
      SELECT m.id, m.version, m.manifest, (extract(epoch FROM m.created_at) * 1000)::bigint AS "registeredAtMs",
             (SELECT count(*) FROM track_tagging g
               WHERE g.tenant_id = ${tenantId} AND g.model_id = m.id AND g.model_version = m.version) AS tracks
        FROM model_version m
       ORDER BY m.id, m.created_at DESC, m.version`);
    return rows;
  }

  /** The model whose tags the tenant sees; undefined before the first promotion. */
  async active(tenantId: TenantId): Promise<ModelRef | undefined> {
    const { rows } = await this.pool.query<ModelRef>(sql`
      SELECT model_id AS id, model_version AS version
        FROM model_promotion
       WHERE tenant_id = ${tenantId}
       ORDER BY sequence DESC
       LIMIT 1`);
    return rows[0];
  }

  /** Makes a registered model the tenant's; nothing happens if it is already. */
  async promote(tenantId: TenantId, model: ModelRef): Promise<void> {
    const active = await this.active(tenantId);
    if (active?.id === model.id && active.version === model.version) return;
    await this.pool.query(sql`
      INSERT INTO model_promotion (tenant_id, model_id, model_version)
      VALUES (${tenantId}, ${model.id}, ${model.version})`);
  }

  /**
   * Takes the last promotion back and gives the model that speaks now; undefined (and no change) if there is no earlier
   * one. The tags of both stay.
   */
  async rollback(tenantId: TenantId): Promise<ModelRef | undefined> {
    const { rowCount } = await this.pool.query(sql`
      DELETE FROM model_promotion
       WHERE tenant_id = ${tenantId}
         AND sequence = (SELECT max(sequence) FROM model_promotion WHERE tenant_id = ${tenantId})
         AND EXISTS (
               SELECT FROM model_promotion
                WHERE tenant_id = ${tenantId}
               OFFSET 1)`);
    return rowCount === 0 ? undefined : this.active(tenantId);
  }
}
