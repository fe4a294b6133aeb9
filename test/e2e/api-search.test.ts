import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { samples } from '../support/earmark.ts';
import { ApiServer, form } from './api-server.ts';

type Hit = Readonly<{
  trackId: string;
  title?: string;
  score: number;
  similarity?: number;
  highlights: readonly Readonly<{ startMs: number; endMs: number; facet?: string; tag?: string }>[];
}>;
type Found = Readonly<{
  data: readonly Hit[];
  facets: readonly Readonly<{ facet: string; tag: string; tracks: number }>[];
  nextCursor: string | null;
}>;
type Timeline = Readonly<{
  durationMs: number;
  tags: readonly Readonly<{ startMs: number; endMs: number; facet: string }>[];
  speechMusic: readonly Readonly<{ startMs: number; endMs: number; label: string }>[];
  loudness?: Readonly<{ stepMs: number; lufs: readonly number[] }>;
  sections: readonly unknown[];
  matches: readonly Readonly<{ startMs: number; endMs: number; scanId: string }>[];
}>;

const names = ['metal-david04', 'rock-lucky-13', 'chamber-we-work-in-the-vineyards', 'ambient-mainscreen'];
const file = (name: string): FormData => {
  const path = join(samples, 'tracks', `${name}.opus`);
  return form(new Uint8Array(readFileSync(path)), basename(path), {
    metadata: JSON.stringify({ title: name, artists: [`Band of ${name.slice(0, 5)}`] }),
  });
};
const wait = { prefer: 'wait=60' };
const ids = new Map<string, string>();
let api: ApiServer;

const search = async (json: unknown): Promise<Found> => {
  const answer = await api.call<Found>('/v1/search', { json });
  expect(answer.status).toBe(200);
  return answer.body;
};
const titles = async (json: unknown): Promise<readonly string[]> =>
  (await search(json)).data.map(({ title }) => title ?? '');
const judge = (name: string, facet: string, tag: string, verdict: string | null) =>
  api.call(`/v1/tracks/${ids.get(name)}/tags/${tag}`, { method: 'PUT', json: { facet, verdict } });

beforeAll(async () => {
  api = await ApiServer.start();
  for (const name of names) {
    const made = await api.call<{ id: string }>('/v1/tracks', { form: file(name), headers: wait });
    expect(made.status).toBe(201);
    ids.set(name, made.body.id);
    // What the model says may change with its version; what people say does not.
    await judge(name, 'mood', 'happy', name === 'rock-lucky-13' ? 'confirmed' : 'rejected');
    await judge(name, 'genre', 'metal', name === 'metal-david04' ? 'confirmed' : 'rejected');
    await judge(name, 'genre', 'rock', name === 'rock-lucky-13' ? 'confirmed' : 'rejected');
  }
});
afterAll(() => api.stop());

describe('search', () => {
  it('finds tags by key, name and synonym in two languages, and what is one of them', async () => {
    for (const value of ['happy', 'Happy Music', '欢快', 'upbeat'])
      expect(await titles({ filter: { in: { field: 'mood', values: [value] } } })).toEqual(['rock-lucky-13']);
    const rock = { filter: { in: { field: 'genre', values: ['rock'] } } };
    expect([...(await titles(rock))].sort()).toEqual(['metal-david04', 'rock-lucky-13']);
  });

  it('combines conditions in a tree, over tags, descriptors, names and catalogs', async () => {
    const happy = { in: { field: 'mood', values: ['happy'] } };
    expect(await titles({ filter: { not: happy } })).toHaveLength(3);
    expect(await titles({ filter: { and: [{ gt: { field: 'mood/happy', value: 0.9 } }, happy] } })).toEqual([
      'rock-lucky-13',
    ]);
    const brightness = (bound: object) => titles({ filter: { and: [bound] } });
    const dark = await brightness({ lte: { field: 'brightnessHz', value: 1500 } });
    const bright = await brightness({ gt: { field: 'brightnessHz', value: 1500 } });
    expect([...dark, ...bright].sort()).toEqual([...names].sort());
    expect(dark).toContain('ambient-mainscreen');
    expect(await titles({ filter: { gt: { field: 'durationMs', value: 3_600_000 } } })).toEqual([]);
    expect(await titles({ filter: { in: { field: 'artist', values: ['band of METAL'] } } })).toEqual([
      'metal-david04',
    ]);
    expect(await titles({ filter: { in: { field: 'catalog', values: ['main'] } } })).toHaveLength(4);
  });

  it('reads words as tags where they name some, else as part of title or artist', async () => {
    expect(await titles({ q: 'happy lucky' })).toEqual(['rock-lucky-13']);
    expect(await titles({ q: 'heavy metal' })).toEqual(['metal-david04']);
    expect(await titles({ q: 'happy vineyards' })).toEqual([]);
    expect(await titles({ q: '欢快' })).toEqual(['rock-lucky-13']);
  });

  it('orders by weights, counts facets, and pages without gaps or repeats', async () => {
    const json = { weights: [{ facet: 'mood', tag: 'happy', weight: 2 }], facets: ['genre', 'mood'] };
    const all = await search(json);
    expect(all.data[0]).toMatchObject({ title: 'rock-lucky-13', score: 1 });
    expect(all.facets).toContainEqual({ facet: 'genre', tag: 'rock', tracks: 1 });
    expect(all.facets.every(({ facet }) => facet === 'genre' || facet === 'mood')).toBe(true);
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page: Found = await search({ ...json, limit: 1, ...(cursor !== null && { cursor }) });
      seen.push(...page.data.map(({ trackId }) => trackId));
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(seen).toEqual(all.data.map(({ trackId }) => trackId));
  });

  it('finds what sounds alike, whole tracks and parts, with the places', async () => {
    const metal = ids.get('metal-david04') ?? '';
    const alike = await search({ like: { tracks: [metal] } });
    expect(alike.data).toHaveLength(3);
    expect(alike.data.at(0)?.title).toBe('rock-lucky-13');
    expect(alike.data.every(({ similarity, score }) => similarity === score)).toBe(true);
    expect(alike.data[0]?.highlights.length).toBeGreaterThan(0);
    const part = { trackId: metal, startMs: 10_000, endMs: 20_000 };
    const first = await search({ like: { segments: [part] }, limit: 1 });
    const rest = await search({ like: { segments: [part] }, limit: 5, cursor: first.nextCursor });
    expect(first.data[0]?.title).toBe('rock-lucky-13');
    expect(rest.data).toHaveLength(2);
    const narrowed = {
      like: { tracks: [metal] },
      filter: { not: { in: { field: 'genre', values: ['rock'] } } },
    };
    expect([...(await titles(narrowed))].sort()).toEqual([
      'ambient-mainscreen',
      'chamber-we-work-in-the-vineyards',
    ]);
  });

  it('names what is wrong where it is', async () => {
    const wrong = async (json: unknown, pointer: string, code: string): Promise<void> => {
      const problem = await api.expectProblem('/v1/search', { json }, 422, 'request.invalid');
      expect(problem.errors).toContainEqual(expect.objectContaining({ pointer, code }));
    };
    const nested = (depth: number): object =>
      depth === 1 ? { gt: { field: 'energy', value: 0 } } : { not: nested(depth - 1) };
    expect((await search({ filter: nested(5) })).data.length).toBeGreaterThan(0);
    await wrong({ filter: nested(6) }, '/filter/not/not/not/not/not', 'search.too-deep');
    await wrong({ filter: {} }, '/filter', 'search.one-condition');
    const genre = (...values: string[]) => ({ filter: { in: { field: 'genre', values } } });
    await wrong(genre('jazz', 'vaporwave'), '/filter/in/values/1', 'tagging.unknown-tag');
    const heavy = { filter: { gt: { field: 'heavy', value: 0.5 } } };
    await wrong(heavy, '/filter/gt/field', 'tagging.ambiguous-label');
    const many = { filter: { or: Array.from({ length: 100 }, () => nested(1)) } };
    await wrong(many, '/filter/or/99', 'search.too-many');
    await wrong({ like: { tracks: ['trk_x'] } }, '/like/tracks/0', 'kernel.bad-id');
    await wrong({ like: {} }, '/like', 'request.custom');
    await wrong({ limit: 201 }, '/limit', 'request.too-big');
    await wrong({ q: 'x'.repeat(301) }, '/q', 'request.too-big');
    await wrong({ cursor: 'abc' }, '/cursor', 'request.bad-cursor');
    const { nextCursor } = await search({ limit: 1 });
    await wrong({ q: 'happy', cursor: nextCursor }, '/cursor', 'request.bad-cursor');
    const made = await api.call<{ id: string }>('/v1/tracks', { json: { title: 'no audio' } });
    const silent = { like: { tracks: [made.body.id] } };
    await api.expectProblem('/v1/search', { json: silent }, 422, 'tag.nothing-to-resemble');
    const key = await api.call<{ secret: string }>('/v1/keys', { json: { name: 'a', scopes: ['scan'] } });
    await api.expectProblem('/v1/search', { json: {}, key: key.body.secret }, 403, 'auth.missing-scope');
  });
});

describe('the time line of a track', () => {
  it('has tags, speech and music, loudness, sections and finds on one axis', async () => {
    const id = ids.get('metal-david04') ?? '';
    const scan = await api.call<{ id: string }>('/v1/scans', { form: file('metal-david04'), headers: wait });
    expect(scan.status).toBe(200);
    const { status, body } = await api.call<Timeline>(`/v1/tracks/${id}/timeline`);
    expect(status).toBe(200);
    const spans = [...body.tags, ...body.speechMusic, ...body.matches];
    expect(
      spans.every(({ startMs, endMs }) => 0 <= startMs && startMs < endMs && endMs <= body.durationMs + 1000),
    ).toBe(true);
    expect(body.speechMusic[0]).toMatchObject({ startMs: 0, label: 'music' });
    expect(body.tags.some(({ facet }) => facet === 'genre')).toBe(true);
    expect(body.loudness?.lufs.length).toBe(Math.round(body.durationMs / 1000));
    expect(body.sections.length).toBeGreaterThan(0);
    expect(body.matches.map(({ scanId }) => scanId)).toContain(scan.body.id);
  });

  it('of a track without audio is empty, and of no track is refused', async () => {
    const made = await api.call<{ id: string }>('/v1/tracks', { json: { title: 'no audio yet' } });
    const { body } = await api.call<Timeline>(`/v1/tracks/${made.body.id}/timeline`);
    expect(body).toMatchObject({ durationMs: 0, tags: [], speechMusic: [], sections: [], matches: [] });
    const none = `/v1/tracks/trk_${'0'.repeat(26)}/timeline`;
    await api.expectProblem(none, {}, 404, 'catalog.track-not-found');
  });
});
