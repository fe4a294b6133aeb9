import { randomBytes } from 'node:crypto';
import type { Catalog, CatalogStore } from '@earmark/catalog';
import { makeId, type CatalogId, type IdKind, type IdOf, type TenantId } from '@earmark/kernel';
import type { Pool } from 'pg';
import { sql } from './sql.js';

/** Makes an id for a new row: ids are made where rows are, so the pure libs need no clock and no randomness. */
export function newId<K extends IdKind>(kind: K): IdOf[K] {
  return makeId(kind, Date.now(), randomBytes(10));
}

/** Tenants and catalogs in PostgreSQL. */
export class PgCatalogStore implements CatalogStore {
  private readonly pool: Pool;

  constructor(pool: Pool) {
    this.pool = pool;
  }

  async ensureTenant(name: string): Promise<TenantId> {
    await this.pool.query(sql`
      INSERT INTO tenant (id, name) VALUES (${newId('tenant')}, ${name})
      ON CONFLICT (name) DO NOTHING`);
    const { rows } = await this.pool.query<{ id: TenantId }>(sql`SELECT id FROM tenant WHERE name = ${name}`);
    const row = rows[0];
    if (!row) throw new Error(`tenant ${name} vanished`);
    return row.id;
  }

  async ensureCatalog(tenantId: TenantId, name: string): Promise<Catalog> {
    const known = await this.findCatalog(tenantId, name);
    if (known) return known;
    const id: CatalogId = newId('catalog');
    await this.pool.query(sql`
      INSERT INTO catalog (tenant_id, id, name) VALUES (${tenantId}, ${id}, ${name})
      ON CONFLICT (tenant_id, name) DO NOTHING`);
    return (await this.findCatalog(tenantId, name)) ?? { id, tenantId, name };
  }

  async findCatalog(tenantId: TenantId, name: string): Promise<Catalog | undefined> {
    const { rows } = await this.pool.query<Catalog>(sql`
      SELECT id, tenant_id AS "tenantId", name
        FROM catalog
       WHERE tenant_id = ${tenantId} AND name = ${name}`);
    return rows[0];
  }

  async listCatalogs(tenantId: TenantId): Promise<readonly Catalog[]> {
    const { rows } = await this.pool.query<Catalog>(sql`
      SELECT id, tenant_id AS "tenantId", name
        FROM catalog
       WHERE tenant_id = ${tenantId}
       ORDER BY name`);
    return rows;
  }
}
