import type { TrackId } from '@earmark/kernel';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { samples } from '../support/earmark.ts';
import { ApiServer, form } from './api-server.ts';

type Plan = Readonly<{ type: string; overlapMs: number; fromTempoRatio: number; toTempoRatio: number }>;
type Candidate = Readonly<{
  trackId: string;
  artists: readonly string[];
  score: number;
  confidence: number;
  outcome: string;
  cueInMs: number;
  plan: Plan;
  reasons: readonly Readonly<{ code: string; value: number }>[];
}>;
type Next = Readonly<{
  from: Readonly<{ trackId: string; cueOutMs: number }>;
  candidates: readonly Candidate[];
}>;

const wanted = ['rock', 'metal', 'folk', 'jazz', 'latin', 'techno'];
const files = readdirSync(join(samples, 'tracks')).filter((file) =>
  wanted.some((name) => file.startsWith(name)),
);
let api: ApiServer;
const ids = new Map<string, string>();
const id = (name: string): string => ids.get(name) ?? '';
const nextOf = async (json: object): Promise<Next> => {
  const answer = await api.call<Next>('/v1/next', { json });
  expect(answer.status).toBe(200);
  return answer.body;
};

beforeAll(async () => {
  api = await ApiServer.start();
  for (const file of files) {
    const name = wanted.find((one) => file.startsWith(one)) ?? '';
    const metadata = {
      title: name,
      artists: [name === 'rock' || name === 'metal' ? 'Loud Band' : `Artist of ${name}`],
      explicit: name === 'metal',
      rights: name === 'jazz' ? { territories: ['DE'] } : name === 'latin' ? { validTo: '2001-01-01' } : {},
    };
    const bytes = new Uint8Array(readFileSync(join(samples, 'tracks', file)));
    const answer = await api.call<{ id: string }>('/v1/tracks', {
      form: form(bytes, basename(file), { metadata: JSON.stringify(metadata) }),
      headers: { prefer: 'wait=60' },
    });
    expect(answer.status).toBe(201);
    ids.set(name, answer.body.id);
  }
});

afterAll(() => api.stop());

describe('POST /v1/next', () => {
  it('offers the other available tracks, best first, with plan and reasons', async () => {
    const { from, candidates } = await nextOf({ from: id('rock') });
    expect(from.trackId).toBe(id('rock'));
    const offered = candidates.map(({ trackId }) => trackId);
    expect([...offered].sort()).toEqual(['metal', 'folk', 'jazz', 'techno'].map(id).sort());
    for (const { score, confidence, plan, reasons } of candidates) {
      expect(score).toBe(confidence);
      for (const ratio of [plan.fromTempoRatio, plan.toTempoRatio]) {
        expect(ratio).toBeGreaterThanOrEqual(0.94);
        expect(ratio).toBeLessThanOrEqual(1.06);
      }
      const effects = reasons.map(({ value }) => Math.abs(value));
      expect(effects[0]).toBe(Math.max(...effects));
    }
  });

  it('filters by market, explicit words, artist gap, history, tempo and candidates', async () => {
    const named = async (json: object): Promise<string[]> => {
      const { candidates } = await nextOf({ from: id('rock'), diversity: 0, ...json });
      return candidates.map(({ trackId }) => [...ids].find(([, one]) => one === trackId)?.[0] ?? '').sort();
    };
    expect(await named({ filter: { market: 'FR' } })).toEqual(['folk', 'metal', 'techno']);
    expect(await named({ filter: { explicit: false } })).toEqual(['folk', 'jazz', 'techno']);
    expect(await named({ constraints: { artistGap: 1 } })).toEqual(['folk', 'jazz', 'techno']);
    expect(await named({ history: [id('folk')] })).toEqual(['jazz', 'metal', 'techno']);
    expect(await named({ candidates: [id('jazz'), id('latin')] })).toEqual(['jazz']);
    expect(await named({ filter: { tempoBpm: { min: 399, max: 400 } } })).toEqual([]);
    expect(await named({ k: 2 })).toHaveLength(2);
  });

  it('answers as the engine does without threads, and a repeat with the first answer', async () => {
    const json = { from: id('rock'), k: 3, constraints: { maxCutMs: 20_000 } };
    const { engine } = api;
    const inProcess = await engine.transitions.next({
      tenantId: engine.tenantId,
      from: { trackId: id('rock') as TrackId },
      k: json.k,
      constraints: json.constraints,
    });
    expect(inProcess.candidates).toHaveLength(3);
    const headers = { 'idempotency-key': 'next-track-1' };
    const first = await api.call('/v1/next', { json, headers });
    expect(JSON.stringify(first.body)).toBe(JSON.stringify(inProcess));
    const repeated = await api.call('/v1/next', { json, headers });
    expect(repeated.headers.get('idempotent-replayed')).toBe('true');
    expect(repeated.body).toEqual(first.body);
  });

  it('names what is wrong', async () => {
    const unknown = `trk_${'0'.repeat(26)}`;
    await api.expectProblem('/v1/next', { json: { from: unknown } }, 404, 'catalog.track-not-found');
    await api.expectProblem('/v1/next', { json: { from: 'rock' } }, 422, 'kernel.bad-id');
    await api.expectProblem('/v1/next', { json: { from: id('rock'), k: 101 } }, 422, 'request.invalid');
    await api.expectProblem(
      '/v1/next',
      { json: { from: id('rock'), constraints: { tempoShiftPct: 7 } } },
      422,
      'request.invalid',
    );
    const { body } = await api.call<{ id: string }>('/v1/tracks', { json: { title: 'no audio yet' } });
    await api.expectProblem('/v1/next', { json: { from: body.id } }, 409, 'transition.not-analyzed');
    const { body: key } = await api.call<{ secret: string }>('/v1/keys', {
      json: { name: 'reader', scopes: ['catalog:read'] },
    });
    await api.expectProblem(
      '/v1/next',
      { json: { from: id('rock') }, key: key.secret },
      403,
      'auth.missing-scope',
    );
  });
});

describe('POST /v1/transitions:score', () => {
  it('judges and plans given pairs', async () => {
    const { status, body } = await api.call<{ pairs: Candidate[] }>('/v1/transitions:score', {
      json: {
        pairs: [
          { from: id('rock'), to: id('metal') },
          { from: { trackId: id('rock'), atMs: 20_000 }, to: id('techno') },
        ],
      },
    });
    expect(status).toBe(200);
    expect(body.pairs).toHaveLength(2);
    expect(body.pairs[0]?.plan.type).toBeDefined();
    const { candidates } = await nextOf({ from: id('rock') });
    const metal = candidates.find(({ trackId }) => trackId === id('metal'));
    expect(body.pairs[0]?.confidence).toBeCloseTo(metal?.confidence ?? -1, 6);
  });
});

describe('POST /v1/sequences', () => {
  it('orders a set along a curve with pins and locks', async () => {
    const { status, body } = await api.call<{ tracks: { trackId: string; energy: number }[] }>(
      '/v1/sequences',
      {
        json: {
          tracks: [...ids.values()],
          curve: [
            { at: 0, energy: 0 },
            { at: 1, energy: 1 },
          ],
          pins: [{ track: id('jazz'), position: 0 }],
          locks: [[id('folk'), id('latin')]],
        },
      },
    );
    expect(status).toBe(200);
    const order = body.tracks.map(({ trackId }) => trackId);
    expect([...order].sort()).toEqual([...ids.values()].sort());
    expect(order[0]).toBe(id('jazz'));
    expect(order.indexOf(id('latin'))).toBe(order.indexOf(id('folk')) + 1);
    await api.expectProblem(
      '/v1/sequences',
      { json: { tracks: [id('rock'), id('folk')], pins: [{ track: id('rock'), position: 7 }] } },
      422,
      'transition.impossible-sequence',
    );
    const problem = await api.expectProblem(
      '/v1/sequences',
      { json: { tracks: [id('rock'), id('folk')], pins: [{ track: id('jazz'), position: 0 }] } },
      422,
      'transition.not-in-set',
    );
    expect(problem.errors?.[0]?.pointer).toBe('/pins/0/track');
  });
});

describe('POST /v1/transitions:preview', () => {
  it('queues, renders once, and answers with the audio', async () => {
    const json = { from: id('rock'), to: id('metal') };
    const queued = await api.call<{ kind: string }>('/v1/transitions:preview', { json });
    expect([queued.status, queued.body.kind]).toEqual([202, 'preview']);
    const url = queued.headers.get('content-location') ?? '';
    const ready = await fetch(`${api.url}/v1/transitions:preview`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${api.firstKey}`,
        'content-type': 'application/json',
        prefer: 'wait=60',
      },
      body: JSON.stringify(json),
    });
    expect(ready.status).toBe(200);
    const audio = Buffer.from(await ready.arrayBuffer());
    expect(audio.subarray(0, 4).toString()).toBe('RIFF');
    const again = await fetch(api.url + url, { headers: { authorization: `Bearer ${api.firstKey}` } });
    expect(Buffer.from(await again.arrayBuffer()).equals(audio)).toBe(true);
    await api.expectProblem(`/v1/previews/${'0'.repeat(64)}.wav`, {}, 404, 'transition.preview-not-found');
  });
});

describe('POST /v1/feedback', () => {
  it('demotes a pair that twenty listeners skipped, and changes nothing where it is switched off', async () => {
    const off = { from: id('rock'), feedback: false, diversity: 0 };
    const before = JSON.stringify(await nextOf(off));
    expect(JSON.stringify(await nextOf({ ...off, feedback: true }))).toBe(before);
    const [first, second] = (JSON.parse(before) as Next).candidates;
    const events = Array.from({ length: 20 }, () => ({
      from: id('rock'),
      to: first?.trackId,
      outcome: 'skip',
    }));
    const { status, body } = await api.call('/v1/feedback', { json: { events } });
    expect([status, body]).toEqual([200, { accepted: 20 }]);
    const after = await nextOf({ ...off, feedback: true });
    expect(after.candidates[0]?.trackId).toBe(second?.trackId);
    expect(after.candidates.find(({ trackId }) => trackId === first?.trackId)?.score).toBeLessThan(
      first?.score ?? 0,
    );
    expect(JSON.stringify(await nextOf(off))).toBe(before);
    await api.expectProblem(
      '/v1/feedback',
      { json: { from: id('rock'), to: `trk_${'0'.repeat(26)}`, outcome: 'skip' } },
      404,
      'catalog.no-such-track',
    );
  });

  it('offers nothing that a session heard lately', async () => {
    const session = 'listener 1';
    await api.call('/v1/feedback', {
      json: { from: id('rock'), to: id('folk'), outcome: 'complete', session },
    });
    const { candidates } = await nextOf({ from: id('metal'), session });
    expect(candidates.map(({ trackId }) => trackId)).not.toContain(id('folk'));
  });
});

describe('a removed track', () => {
  it('is offered no more, and what was kept of it is gone', async () => {
    expect((await api.call(`/v1/tracks/${id('techno')}`, { method: 'DELETE' })).status).toBe(204);
    const { candidates } = await nextOf({ from: id('rock') });
    expect(candidates.map(({ trackId }) => trackId)).not.toContain(id('techno'));
    const { rows } = await api.test.database.pool.query<{ left: number }>(
      `SELECT (SELECT count(*) FROM track_analysis WHERE track_id = $1) + (SELECT count(*) FROM track_seam WHERE track_id = $1)
            + (SELECT count(*) FROM track_audio WHERE track_id = $1) AS left`,
      [id('techno')],
    );
    expect(rows[0]?.left).toBe(0);
  });
});

describe('POST /v1/transitions:analyze', () => {
  it('makes again what is missing, from the kept audio', async () => {
    await api.test.database.pool.query('DELETE FROM track_analysis WHERE track_id = $1', [id('metal')]);
    const { status, body } = await api.call<{ result: { analyzed: number; withoutAudio: number } }>(
      '/v1/transitions:analyze',
      { method: 'POST', headers: { prefer: 'wait=60' } },
    );
    expect([status, body.result.analyzed, body.result.withoutAudio]).toEqual([200, 1, 0]);
    const { candidates } = await nextOf({ from: id('rock') });
    expect(candidates.map(({ trackId }) => trackId)).toContain(id('metal'));
  });
});
