import { InvalidValueError, type TenantId, type TrackId } from '@earmark/kernel';
import type { FeedbackStore, PairFeedback, TransitionEvent } from '@earmark/transition';
import type { Database } from './database.js';
import { prepared, sql } from './sql.js';

/** What listeners did at transitions, in PostgreSQL. */
export class PgFeedbackStore implements FeedbackStore {
  private readonly database: Database;

  constructor(database: Database) {
    this.database = database;
  }

  async add(tenantId: TenantId, events: readonly TransitionEvent[]): Promise<void> {
    const from = events.map(({ fromTrackId }) => fromTrackId);
    const to = events.map(({ toTrackId }) => toTrackId);
    const outcomes = events.map(({ outcome }) => outcome);
    const sessions = events.map(({ session }) => session ?? null);
    await this.database.transaction(async (client) => {
      const known = await client.query<{ id: TrackId }>(sql`
        SELECT id FROM track WHERE tenant_id = ${tenantId} AND id = ANY(${[...new Set([...from, ...to])]}) FOR SHARE`);
      const ids = new Set(known.rows.map(({ id }) => id));
      for (const [i, { fromTrackId, toTrackId }] of events.entries()) {
        const [field, unknown] = ids.has(fromTrackId) ? ['to', toTrackId] : ['from', fromTrackId];
        if (ids.has(unknown)) continue;
        throw new InvalidValueError(
          'catalog.no-such-track',
          `/events/${i}/${field}`,
          `there is no track ${unknown}`,
        );
      }
      await client.query(sql`
        INSERT INTO transition_feedback (tenant_id, from_track_id, to_track_id, outcome, session)
        SELECT ${tenantId}, *
          FROM unnest(${from}::text[], ${to}::text[], ${outcomes}::text[], ${sessions}::text[])`);
      await client.query(sql`
        INSERT INTO transition_pair (tenant_id, from_track_id, to_track_id, skips, completes)
        SELECT ${tenantId}, from_id, to_id, count(*) FILTER (WHERE outcome = 'skip'),
               count(*) FILTER (WHERE outcome = 'complete')
          FROM unnest(${from}::text[], ${to}::text[], ${outcomes}::text[]) AS event (from_id, to_id, outcome)
         GROUP BY from_id, to_id
         ORDER BY from_id, to_id
        ON CONFLICT (tenant_id, from_track_id, to_track_id) DO UPDATE
           SET skips = transition_pair.skips + excluded.skips,
               completes = transition_pair.completes + excluded.completes`);
    });
  }

  async pairsFrom(tenantId: TenantId, fromTrackId: TrackId): Promise<ReadonlyMap<TrackId, PairFeedback>> {
    const pairs = prepared(
      'pairs-from',
      sql`
      SELECT to_track_id AS "toTrackId", skips, completes
        FROM transition_pair
       WHERE tenant_id = ${tenantId} AND from_track_id = ${fromTrackId}`,
    );
    const { rows } = await this.database.pool.query<PairFeedback & { toTrackId: TrackId }>(pairs);
    return new Map(rows.map(({ toTrackId, skips, completes }) => [toTrackId, { skips, completes }]));
  }

  async recent(tenantId: TenantId, session: string, limit: number): Promise<readonly TrackId[]> {
    const { rows } = await this.database.pool.query<{ trackId: TrackId }>(sql`
      SELECT to_track_id AS "trackId"
        FROM transition_feedback
       WHERE tenant_id = ${tenantId} AND session = ${session}
       ORDER BY sequence DESC
       LIMIT ${limit}`);
    return rows.map(({ trackId }) => trackId);
  }
}
